// A log is read by keyboard: what the sheet behind "?" names.

import { expect, expectAccessible, test } from './fixtures.mjs';
import { entry, ids, older, rows, search, signInLive } from './steps.mjs';

test.beforeEach(async ({ page, daybook, place }) => {
  const token = await daybook.createToken({ workspace: place.workspace });
  const events = Array.from({ length: 60 }, (_, n) => ({
    actor: { kind: 'user', id: 'usr_1', name: 'Alex Kim' },
    action: 'SECRET_ROTATED',
    target: { kind: 'secret', id: `sec_${n}`, name: `Secret ${n}` },
  }));
  await daybook.record(token, events);
  await signInLive(page, place.owner, place.audit);
});

/** The row that has the focus. */
const focused = (page) =>
  page.evaluate(() => document.activeElement.closest('tr.row')?.dataset.eventId);

test('j and k go from row to row, and Enter opens and closes one', async ({ page }) => {
  const all = await ids(page);
  await page.keyboard.press('j');
  expect(await focused(page)).toBe(all[0]);
  await page.keyboard.press('k');
  expect(await focused(page)).toBe(all[0]);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  expect(await focused(page)).toBe(all[2]);
  await page.keyboard.press('Enter');
  await expect(entry(page)).toHaveAttribute('id', `d-${all[2]}`);
  // From what is in the open entry, it goes on at the rows beside it.
  await entry(page).getByRole('button', { name: 'Copy JSON' }).focus();
  await page.keyboard.press('j');
  expect(await focused(page)).toBe(all[3]);
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await expect(entry(page)).toHaveCount(0);
});

test('brackets turn pages', async ({ page }) => {
  const first = await ids(page);
  await page.keyboard.press(']');
  await expect(page).toHaveURL(/cursor=/);
  await expect(older(page)).toHaveCount(0);
  expect(await ids(page)).not.toContain(first[0]);
  await page.keyboard.press('[');
  await expect(older(page)).toHaveCount(1);
  expect(await ids(page)).toEqual(first);
});

test('a slash goes to the search, where keys are what is written', async ({ page }) => {
  await page.keyboard.press('/');
  await expect(search(page)).toBeFocused();
  await page.keyboard.type('Secret 7 j?');
  await expect(search(page)).toHaveValue('Secret 7 j?');
  await search(page).fill('Secret 57');
  await expect(rows(page)).toHaveCount(1);
});

test('a question mark tells the keys, and closes what it opened', async ({ page }) => {
  const sheet = page.getByText('next row, row before');
  await expect(sheet).toBeHidden();
  await page.keyboard.press('?');
  await expect(sheet).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press('?');
  await expect(sheet).toBeHidden();
  await page.keyboard.press('?');
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
});

test('single keys are switched off for the person, wherever they sign in', async ({
  page,
  browser,
  place,
}) => {
  // Also while the sheet is closed.
  const keys = (of) => of.getByLabel('Single-key shortcuts');
  const sheet = (of) => of.locator('details.keys > summary');
  await sheet(page).click();
  await expect(keys(page)).toBeChecked();
  const saved = page.waitForResponse(/set_single_keys/);
  await keys(page).uncheck();
  await saved;
  await page.keyboard.press('j');
  expect(await focused(page)).toBeUndefined();
  await page.keyboard.press('Escape');
  await expect(keys(page)).toBeHidden();
  for (const key of ['j', '/', '?', ']']) await page.keyboard.press(key);
  await expect(keys(page)).toBeHidden();
  await expect(search(page)).not.toBeFocused();
  await expect(page).toHaveURL(place.audit);
  // What is no single letter or sign goes on.
  await page.locator('a.opener').first().focus();
  await page.keyboard.press('Enter');
  await expect(entry(page)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(entry(page)).toHaveCount(0);
  // Another answer of the server changes nothing.
  await search(page).fill('Secret 7');
  await expect(rows(page)).toHaveCount(1);
  await expect(keys(page)).not.toBeChecked();

  const elsewhere = await browser.newContext();
  const there = await elsewhere.newPage();
  await signInLive(there, place.owner, new URL(place.audit, page.url()).href);
  await expect(keys(there)).not.toBeChecked();
  await there.keyboard.press('j');
  expect(await focused(there)).toBeUndefined();
  await sheet(there).click();
  const back = there.waitForResponse(/set_single_keys/);
  await keys(there).check();
  await back;
  await there.keyboard.press('Escape');
  await there.keyboard.press('j');
  expect(await focused(there)).toBeDefined();
  await elsewhere.close();
});

test('a switch that could not be kept goes back', async ({ page, context }) => {
  const keys = page.getByRole('checkbox', { name: 'Single-key shortcuts' });
  await page.locator('details.keys > summary').click();
  await context.route(/set_single_keys/, (route) => route.abort('aborted'));
  await keys.click();
  await expect(page.getByText('The server does not answer.')).toBeVisible();
  await expect(keys).toBeChecked();
});

test('everything around a moment is one click away, whatever the filters are', async ({
  page,
  place,
}) => {
  await page.goto(`${place.audit}?q=Secret+7&action=SECRET_ROTATED`);
  await expect(rows(page)).toHaveCount(1);
  const [id] = await ids(page);
  await page.locator('a.opener').click();
  await entry(page).getByRole('link', { name: 'Around this moment' }).click();
  await expect(page).toHaveURL(/since=.*until=/);
  await expect(search(page)).toHaveValue('');
  // With what Daybook recorded of its own.
  await expect(page.locator('.count b')).toHaveText(/^6\d$/);
  await expect(entry(page)).toHaveAttribute('id', `d-${id}`);
  await expect(page.locator(`#e-${id}`)).toBeInViewport();
});

test('where nothing matches, the page says which filter to drop, and what that gives', async ({
  page,
  place,
}) => {
  await page.goto(`${place.audit}?q=Secret+7&category=members&range=7d`);
  await expect(page.getByRole('heading', { name: 'Nothing matches these filters' })).toBeVisible();
  const drop = page.getByRole('link', { name: 'Without category Members' });
  await expect(page.locator('.relaxed li').filter({ has: drop })).toContainText('1 entry');
  // There is nothing before these days: to drop the time gives nothing.
  await expect(page.getByRole('link', { name: 'Without the time' })).toHaveCount(0);
  await expectAccessible(page);
  await drop.click();
  await expect(rows(page)).toHaveCount(1);
});
