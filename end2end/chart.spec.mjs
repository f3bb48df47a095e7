// When entries occurred: the chart over the ledger tells it, with script and without, and narrows to it.

import { expect, expectAccessible, test } from './fixtures.mjs';
import { chip, range, rows, search, signIn, signInLive, visit } from './steps.mjs';

const chart = (page) => page.getByRole('figure', { name: /^Entries per/ });
const bars = (page) => chart(page).locator('a[data-bar]');
const pointer = (page) => chart(page).getByRole('slider');
const told = (page) => chart(page).locator('output');
const count = (page) => page.locator('.count b');

/** Opens the table beside the chart; gives its rows, each as the texts of its cells. */
async function table(page) {
  await chart(page).getByText('As a table').click();
  const all = chart(page).locator('tbody tr');
  await expect(all.first()).toBeVisible();
  return all.evaluateAll((found) =>
    found.map((row) => Array.from(row.cells, (cell) => cell.textContent)),
  );
}

const DAY = 24 * 60 * 60 * 1000;

/** A Monday some weeks ago, in UTC. */
const MONDAY = (() => {
  const today = Math.floor(Date.now() / DAY);
  // The first day of 1970 was a Thursday.
  return (today - ((today + 3) % 7) - 35) * DAY;
})();

/** A day from that one on, which is the first, as a date. */
const day = (number) => new Date(MONDAY + (number - 1) * DAY).toISOString().slice(0, 10);

/** The part of an address that asks for the days from one to another. */
const days = (from, to) => `since=${day(from)}&until=${day(to)}`;

function event(action, at) {
  return {
    occurred_at: at,
    actor: { kind: 'user', id: 'usr_1', name: 'Alex Kim' },
    action,
    target: { kind: 'secret', id: 'sec_1', name: 'A secret' },
  };
}

// So many on each day of a week, at noon and at the day's two ends.
const SECRETS = [3, 0, 5, 1, 0, 0, 2];

test.beforeEach(async ({ daybook, place }) => {
  const token = await daybook.createToken({ workspace: place.workspace });
  const events = SECRETS.flatMap((secrets, at) =>
    Array.from({ length: secrets }, (_, n) => {
      const clock = ['12:00:00', '00:00:00', '23:59:59.999999'][n % 3];
      return event('SECRET_ROTATED', `${day(at + 1)}T${clock}Z`);
    }),
  );
  events.push(event('MEMBER_REMOVED', `${day(3)}T09:30:00Z`));
  await daybook.record(token, events);
});

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('bars stand for their entries, and each leads to exactly its own', async ({
    page,
    place,
  }) => {
    await signIn(page, place.owner, `${place.audit}?${days(1, 14)}`);
    await expect(chart(page)).toContainText('Entries per 12 hours, at most 3');
    await expect(chart(page).locator('.bars path')).toHaveCount(2);
    const numbers = await table(page);
    const afternoon = numbers.findIndex(([time]) => time === `${day(3)} 12:00–00:00`);
    expect(numbers[afternoon].slice(1)).toEqual(['3', '3', '0']);
    expect(numbers.reduce((sum, [, total]) => sum + Number(total), 0)).toBe(12);

    await page.goto(await bars(page).nth(afternoon).getAttribute('href'));
    await expect(rows(page)).toHaveCount(3);
    await expect(count(page)).toHaveText('3');
    await expect(page.locator('.page-words')).toContainText(
      `${day(3)} 12:00:00 to ${day(4)} 00:00:00`,
    );
  });
});

test('pointing at a bar tells its numbers, and a click shows its entries', async ({
  page,
  place,
}) => {
  await signInLive(page, place.owner, `${place.audit}?${days(-119, 14)}`);
  await expect(chart(page)).toContainText('Entries per week, at most 12');
  const filled = bars(page).nth(-2);
  await filled.hover();
  await expect(told(page)).toHaveText(
    `${day(1)} to ${day(7)} · 12 entries · Secrets 11, Members 1`,
  );
  await page.getByRole('heading', { name: 'Audit' }).hover();
  await expect(told(page)).toHaveText('');
  await page.evaluate(() => (window.sameDocument = true));
  await filled.click();
  await expect(page).toHaveURL(new RegExp(days(1, 7)));
  await expect(rows(page)).toHaveCount(12);
  expect(await page.evaluate(() => window.sameDocument)).toBe(true);
  await expectAccessible(page);
});

test('dragging over bars asks for their time, and keeps the other filters', async ({
  page,
  place,
}) => {
  await signInLive(page, place.owner, `${place.audit}?category=secrets&${days(1, 61)}`);
  await expect(chart(page)).toContainText('Entries per day');
  const [from, to] = [await bars(page).nth(2).boundingBox(), await bars(page).nth(5).boundingBox()];
  await page.mouse.move(to.x + to.width / 2, to.y + 20);
  await page.mouse.down();
  await page.mouse.move(from.x + from.width / 2, from.y + 30, { steps: 5 });
  await expect(told(page)).toHaveText(`${day(3)} to ${day(6)} · 6 entries · Secrets 6`);
  await expect(bars(page).and(page.locator('.is-here'))).toHaveCount(4);
  await page.mouse.up();
  await expect(page).toHaveURL(new RegExp(`category=secrets&${days(3, 6)}`));
  await expect(rows(page)).toHaveCount(6);

  await page.goBack();
  await expect(rows(page)).toHaveCount(11);
});

test('a bar that was clicked otherwise leaves the keys as they are', async ({ page, place }) => {
  await signInLive(page, place.owner, `${place.audit}?${days(1, 61)}`);
  await bars(page).nth(2).click({ modifiers: ['Shift'] });
  await bars(page).nth(2).focus();
  await page.keyboard.press('/');
  await expect(search(page)).toBeFocused();
});

test('a chart that the page did not wait for is finished after it', async ({ page, place }) => {
  await signInLive(page, place.owner, place.audit);
  let finish;
  const finished = new Promise((done) => (finish = done));
  // As the server marks one.
  await page.route(`**${place.audit}?**`, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace('id="chart"', 'id="chart" data-unfinished=""');
    await route.fulfill({ response: answer, body });
  });
  await page.route('**/ui/chart?**', async (route) => {
    await finished;
    await route.continue();
  });
  const unfinished = page.locator('#chart[data-unfinished]');
  await visit(page, `${place.audit}?${days(1, 14)}`);
  await expect(unfinished).toBeVisible();
  // What is opened meanwhile holds it up as little as anything else.
  await page.locator('a.opener').first().click();
  await expect(page.locator('tr.entry')).toBeVisible();
  finish();
  await expect(unfinished).toHaveCount(0);
  await expect(chart(page)).toContainText('Entries per 12 hours, at most 3');
});

test('by keyboard: arrows choose a bar, with Shift several, and Enter shows them', async ({
  page,
  place,
}) => {
  await signInLive(page, place.owner, `${place.audit}?${days(1, 61)}`);
  await pointer(page).focus();
  await page.keyboard.press('Home');
  await expect(pointer(page)).toHaveAttribute(
    'aria-valuetext',
    `${day(1)} · 3 entries · Secrets 3`,
  );
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(pointer(page)).toHaveAttribute('aria-valuenow', '3');
  await page.keyboard.press('Shift+ArrowRight');
  await expect(told(page)).toHaveText(
    `${day(3)} to ${day(4)} · 7 entries · Secrets 6, Members 1`,
  );
  await page.keyboard.press('Escape');
  await expect(told(page)).toHaveText('');
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(days(1, 1)));
  await expect(rows(page)).toHaveCount(3);
  await expect(pointer(page)).toBeFocused();
});

test('the chart is of what the filters leave, and moves nothing where they leave nothing', async ({
  page,
  place,
}) => {
  await signInLive(page, place.owner, `${place.audit}?${days(1, 14)}`);
  await table(page);
  await chip(page, 'Members').click();
  await expect(chart(page)).toContainText('at most 1');
  await expect(chart(page).locator('.legend li')).toHaveText(['Members']);
  // Who opened the table keeps it.
  await expect(chart(page).getByRole('table')).toBeVisible();
  const { y } = await search(page).boundingBox();
  await search(page).fill('nothing is called this');
  await expect(page.getByRole('figure', { name: 'No entries in this time' })).toBeVisible();
  expect((await search(page).boundingBox()).y).toBe(y);
  // Whoever types goes on typing.
  await expect(search(page)).toBeFocused();
  await search(page).fill('');
  await expect(chart(page)).toContainText('at most 1');
  await range(page, 'All').click();
  await expect(page).not.toHaveURL(/since/);
  await expect(rows(page, 'MEMBER_REMOVED')).toHaveCount(1);
});
