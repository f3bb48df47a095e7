"""Asks ClickHouse, inside this process, whatever stands on standard input: a statement a line, as a JSON string.

For each it prints a line: how long it took until the whole answer was there, in milliseconds, and the answer, a row a
line; or why there is none. The one argument is the folder that the table is kept in.
"""

import json
import sys
import time

from chdb import session


def main():
    database = session.Session(sys.argv[1])
    for line in sys.stdin:
        statement = json.loads(line)
        begun = time.perf_counter()
        try:
            answer = database.query(statement, "JSONCompactEachRow").bytes()
        except RuntimeError as error:
            said = {"error": str(error)}
        else:
            took = (time.perf_counter() - begun) * 1000
            said = {"milliseconds": took, "answer": answer.decode()}
        print(json.dumps(said), flush=True)


main()
