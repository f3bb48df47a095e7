// What arrives while somebody looks at a log says so, and moves nothing until they ask for it.

import { expect, expectAccessible, test } from './fixtures.mjs';
import { clickRow, entry, ids, older, rows, search, signIn, signInLive, tokens } from './steps.mjs';

/** The line that says how many entries are new. */
const fresh = (page) => page.locator('a.fresh');

/** Where the rows are on screen. */
const tops = (page) =>
  rows(page).evaluateAll((all) => all.map((row) => row.getBoundingClientRect().top));

function event(action, n = 0) {
  return {
    actor: { kind: 'user', id: 'usr_1', name: 'Alex Kim' },
    action,
    target: { kind: 'secret', id: `sec_${n}`, name: `Secret ${n}` },
  };
}

const several = (action, count) => Array.from({ length: count }, (_, n) => event(action, n));

let token;

test.beforeEach(async ({ daybook, place }) => {
  token = await daybook.createToken({ workspace: place.workspace });
  await daybook.record(token, several('SECRET_ROTATED', 60));
});

test('new entries announce themselves, move no row, and come when asked for', async ({
  page,
  daybook,
  place,
}) => {
  await signInLive(page, place.owner, place.audit);
  await expect(fresh(page)).toBeHidden();
  await page.evaluate(() => (window.sameDocument = true));
  await clickRow(rows(page).nth(2));
  await expect(entry(page)).toBeVisible();
  const [before, where] = [await ids(page), await tops(page)];

  await daybook.record(token, several('MEMBER_REMOVED', 2));
  await expect(fresh(page)).toHaveText('2 new entries');
  await daybook.record(token, [event('MEMBER_ADDED')]);
  await expect(fresh(page)).toHaveText('3 new entries');
  expect(await ids(page)).toEqual(before);
  expect(await tops(page)).toEqual(where);
  await expectAccessible(page);

  await fresh(page).click();
  await expect(rows(page, 'MEMBER_REMOVED')).toHaveCount(2);
  await expect(rows(page).first()).toContainText('MEMBER_ADDED');
  await expect(fresh(page)).toBeHidden();
  // What was open still is, and what comes next is counted from here.
  await expect(entry(page)).toHaveAttribute('id', `d-${before[2]}`);
  expect(await page.evaluate(() => window.sameDocument)).toBe(true);
  await daybook.record(token, [event('MEMBER_ADDED')]);
  await expect(fresh(page)).toHaveText('1 new entry');
});

test('where there is no room for the line, the rows stay where they are all the same', async ({
  page,
  daybook,
  place,
}) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await signInLive(page, place.owner, place.audit);
  const where = await tops(page);
  await daybook.record(token, [event('MEMBER_ADDED')]);
  await expect(fresh(page)).toHaveText('1 new entry');
  // To the pixel: where the line is put in may lie between two.
  const moved = (await tops(page)).map((top, at) => Math.abs(top - where[at]));
  expect(Math.max(...moved)).toBeLessThanOrEqual(1);
  await expect(fresh(page)).toBeInViewport();
});

test('only what the filters ask for is new', async ({ page, daybook, place }) => {
  await signInLive(page, place.owner, place.audit);
  await search(page).fill('Secret 7');
  await expect(tokens(page)).toHaveText([/search Secret 7/]);
  await daybook.record(token, [event('SECRET_ROTATED', 8), event('SECRET_ROTATED', 7)]);
  await expect(fresh(page)).toHaveText('1 new entry');
  await fresh(page).click();
  await expect(rows(page)).toHaveCount(2);
  await expect(tokens(page)).toHaveText([/search Secret 7/]);
});

test('on a later page the line leads to the first', async ({ page, daybook, place }) => {
  await signInLive(page, place.owner, place.audit);
  await older(page).click();
  await expect(page).toHaveURL(/cursor=/);
  const before = await ids(page);
  await daybook.record(token, [event('MEMBER_ADDED')]);
  await expect(fresh(page)).toHaveText('1 new entry');
  expect(await ids(page)).toEqual(before);
  await fresh(page).click();
  await expect(page).toHaveURL(place.audit);
  await expect(rows(page).first()).toContainText('MEMBER_ADDED');
});

test('it is reached by keyboard, and goes on at the entries', async ({ page, daybook, place }) => {
  await signInLive(page, place.owner, place.audit);
  await daybook.record(token, [event('MEMBER_ADDED')]);
  await expect(fresh(page)).toBeVisible();
  await fresh(page).focus();
  await page.keyboard.press('Enter');
  await expect(rows(page).first()).toContainText('MEMBER_ADDED');
  await expect(page.locator('#entries')).toBeFocused();
});

test('one person’s page is not told of another’s workspace', async ({ page, daybook, place }) => {
  const other = `${place.tenant}/other`;
  await daybook.createWorkspace(other);
  const elsewhere = await daybook.createToken({ workspace: other });
  await signInLive(page, place.owner, place.audit);
  await daybook.record(elsewhere, [event('MEMBER_ADDED')]);
  await daybook.record(token, [event('MEMBER_ADDED')]);
  await expect(fresh(page)).toHaveText('1 new entry');
});

test('while the tab is hidden nothing is asked, and then all is said', async ({
  page,
  daybook,
  place,
}) => {
  await signInLive(page, place.owner, place.audit);
  const hide = (hidden) =>
    page.evaluate((is) => {
      Object.defineProperty(document, 'hidden', { value: is, configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, hidden);
  await hide(true);
  const asked = [];
  page.on('request', (request) => {
    if (request.url().includes('/ui/news')) asked.push(request.url());
  });
  await daybook.record(token, several('MEMBER_REMOVED', 2));
  await page.evaluate(() => fetch('/healthz'));
  expect(asked).toEqual([]);
  await expect(fresh(page)).toBeHidden();
  await hide(false);
  await expect(fresh(page)).toHaveText('2 new entries');
  expect(asked.length).toBeGreaterThan(0);
});

test.describe('without script', () => {
  test.use({
    javaScriptEnabled: false,
    expectedComplaints: /\.wasm was preloaded using link preload but not used/,
  });

  test('the page says nothing of what it cannot know', async ({ page, daybook, place }) => {
    await signIn(page, place.owner, place.audit);
    await expect(rows(page)).toHaveCount(50);
    await expect(fresh(page)).toBeHidden();
    await daybook.record(token, [event('MEMBER_ADDED')]);
    await page.goto(place.audit);
    await expect(rows(page).first()).toContainText('MEMBER_ADDED');
  });
});
