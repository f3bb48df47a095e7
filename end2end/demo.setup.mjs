// Fills one database with the demo; each worker that wants it takes a copy.

import { Daybook } from './server.mjs';

/** As much of the demo as holds its whole story, and little more. */
const SIZE = ['--events', '4000', '--days', '200'];

export default async function fill() {
  const demo = await Daybook.create();
  await demo.run(['demo', ...SIZE]);
  process.env.DEMO_FOLDER = demo.folder;
  return () => demo.remove();
}
