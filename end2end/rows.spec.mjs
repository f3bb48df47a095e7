// What the rows of a log offer: links that stay true, the way back from a change, and entries of one
// operation as one row.

import { expect, expectAccessible, test } from './fixtures.mjs';
import {
  change,
  clickRow,
  entry,
  ids,
  range,
  rows,
  signIn,
  signInLive,
  tokens,
  visit,
} from './steps.mjs';

const alex = { kind: 'user', id: 'usr_1', name: 'Alex Kim', email: 'alex@example.com' };

/** So many entries of an operation, each with a target of its own. */
const removals = (operation, count) =>
  Array.from({ length: count }, (_, n) => ({
    actor: alex,
    action: 'MEMBER_REMOVED',
    target: { kind: 'member', id: `${operation}-${n}`, name: `Member ${n}` },
    operation,
  }));

const single = (name) => ({
  actor: alex,
  action: 'SECRET_ROTATED',
  target: { kind: 'secret', id: name, name },
});

const bundle = (page) => page.locator('tr.bundle');
const unfold = (page) => bundle(page).locator('summary');

/** What was copied last. */
const copied = (page) => page.evaluate(() => navigator.clipboard.readText());

test.beforeEach(async ({ context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
});

test.describe('links', () => {
  test('a copied link shows the time that was shown, the address goes on', async ({
    page,
    daybook,
    place,
  }) => {
    const token = await daybook.createToken({ workspace: place.workspace });
    await daybook.record(token, [single('first')]);
    await signInLive(page, place.owner, place.audit);
    await range(page, '7 days').click();
    await expect(page).toHaveURL(`${place.audit}?range=7d`);
    await clickRow(rows(page, 'first'));
    await expect(page).toHaveURL(/range=7d&open=/);
    await page.getByRole('link', { name: 'Copy link', exact: true }).click();
    await expect(page.getByText('Copied', { exact: true })).toHaveCount(1);
    const link = new URL(await copied(page));
    expect(link.searchParams.get('open')).not.toBeNull();
    expect(link.searchParams.get('range')).toBeNull();
    const since = Date.parse(`${link.searchParams.get('since')}Z`);
    const until = Date.parse(`${link.searchParams.get('until')}Z`);
    // In whole minutes, of which the last one is a part of it.
    expect(until - since).toBeGreaterThanOrEqual(7 * 86_400_000);
    expect(until - since).toBeLessThan(7 * 86_400_000 + 120_000);
    expect(Math.abs(Date.now() - until)).toBeLessThan(180_000);
    // So does the link to all that is shown, without the entry.
    await page.getByRole('link', { name: 'Copy link to what is shown' }).click();
    await expect.poll(() => copied(page)).not.toContain('open=');
    const whole = new URL(await copied(page));
    expect(whole.searchParams.get('range')).toBeNull();
    expect(whole.searchParams.get('until')).not.toBeNull();
    await visit(page, link.href);
    await expect(entry(page)).toBeVisible();
    await expect(tokens(page)).toHaveText([/since/, /until/]);
    await expect(rows(page, 'first')).toHaveCount(1);
  });
});

test.describe('the way back from a change', () => {
  test.beforeEach(async ({ page, daybook, place }) => {
    const token = await daybook.createToken({ workspace: place.workspace });
    await daybook.record(token, [
      {
        ...single('changed'),
        before: { role: 'viewer', scopes: ['a', 'b'], limits: { day: 5 }, password: 'old one' },
        after: { role: 'admin', scopes: ['a'], limits: { day: 7 }, password: 'new one', until: 'May' },
      },
      { ...single('refused'), outcome: 'denied', before: { role: 'viewer' }, after: { role: 'admin' } },
      { ...single('made'), after: { name: 'new' } },
    ]);
    await signInLive(page, place.owner, place.audit);
  });

  test('is copied whole, or of one field, without what was taken out', async ({ page }) => {
    await clickRow(rows(page, 'changed'));
    const actions = page.getByRole('group', { name: 'Actions for this entry' });
    await actions.getByRole('button', { name: 'Copy the change back' }).click();
    await expect.poll(() => copied(page).then((text) => text.startsWith('{'))).toBe(true);
    expect(JSON.parse(await copied(page))).toEqual({
      limits: { day: 5 },
      role: 'viewer',
      scopes: ['a', 'b'],
      until: null,
    });
    await page.getByText('The change back as JSON').click();
    await expect(entry(page)).toContainText('A value that was taken out before it was recorded is not in it.');
    const field = change(page, 'limits.day');
    await field.hover();
    await field.getByRole('button', { name: 'Copy limits.day back' }).click();
    await expect.poll(async () => JSON.parse(await copied(page))).toEqual({ limits: { day: 5 } });
    await expect(change(page, 'password').getByRole('button')).toHaveCount(0);
    await expectAccessible(page);
  });

  test('is not offered where nothing was changed, or nothing is known of before', async ({ page }) => {
    for (const name of ['refused', 'made']) {
      await clickRow(rows(page, name));
      await expect(entry(page).locator('.diff')).toBeVisible();
      await expect(page.getByRole('button', { name: 'Copy the change back' })).toHaveCount(0);
      await clickRow(rows(page, name));
      await expect(entry(page)).toHaveCount(0);
    }
  });
});

test.describe('an operation', () => {
  test.beforeEach(async ({ daybook, place }) => {
    const token = await daybook.createToken({ workspace: place.workspace });
    await daybook.record(token, [single('before')]);
    await daybook.record(token, removals('review', 27));
    await daybook.record(token, [single('after')]);
  });

  test('is one row that opens to all of its entries, which are there all the time', async ({
    page,
    place,
  }) => {
    await signInLive(page, place.owner, place.audit);
    await expect(bundle(page)).toHaveCount(1);
    await expect(bundle(page)).toContainText('27 entries of one operation');
    await expect(bundle(page)).toContainText('27 targets');
    await expect(bundle(page)).toContainText('Alex Kim');
    const removed = rows(page, 'MEMBER_REMOVED');
    await expect(removed).toHaveCount(27);
    await expect(removed.first()).toBeHidden();
    await expectAccessible(page);
    // The day counts entries, not rows.
    const count = await rows(page).count();
    await expect(page.locator('tr.day')).toContainText(`${count} entries`);
    await bundle(page).locator('.c-actor').click();
    await expect(removed.first()).toBeVisible();
    await expect(removed.last()).toBeVisible();
    await expectAccessible(page);
    await clickRow(removed.nth(3));
    await expect(entry(page)).toBeVisible();
    await unfold(page).click();
    await expect(entry(page)).toBeHidden();
    await expect(rows(page, 'after')).toBeVisible();
  });

  test('is gone through by keyboard as one row, or entry by entry', async ({ page, place }) => {
    await signInLive(page, place.owner, place.audit);
    const focused = () => page.evaluate(() => document.activeElement.closest('tr').className);
    const id = () => page.evaluate(() => document.activeElement.closest('tr').dataset.eventId);
    const all = await ids(page);
    const first = await rows(page, 'MEMBER_REMOVED').first().getAttribute('data-event-id');
    await rows(page, 'after').locator('a.opener').focus();
    await page.keyboard.press('j');
    expect(await focused()).toContain('bundle');
    await page.keyboard.press('j');
    expect(await id()).toBe(await rows(page, 'before').getAttribute('data-event-id'));
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await expect(rows(page, 'MEMBER_REMOVED').first()).toBeVisible();
    await page.keyboard.press('j');
    expect(await id()).toBe(first);
    await page.keyboard.press('j');
    expect(await id()).toBe(all[all.indexOf(first) + 1]);
  });

  test('is unfolded where one of its entries is opened, and folded neither by name nor by actor', async ({
    page,
    place,
  }) => {
    await signInLive(page, place.owner, place.audit);
    const removed = rows(page, 'MEMBER_REMOVED');
    const id = await removed.nth(20).getAttribute('data-event-id');
    await visit(page, `${place.audit}?open=${id}`);
    await expect(entry(page)).toBeVisible();
    await expect(removed.first()).toBeVisible();
    await visit(page, `${place.audit}?sort=actor`);
    await expect(bundle(page)).toHaveCount(0);
    await expect(removed.first()).toBeVisible();
    await visit(page, place.audit);
    await bundle(page).getByRole('link', { name: 'review' }).click();
    await expect(page).toHaveURL(`${place.audit}?operation=review`);
    await expect(bundle(page)).toHaveCount(0);
    await expect(rows(page)).toHaveCount(27);
  });

  test('stays as it was left when what is new is shown', async ({ page, daybook, place }) => {
    const token = await daybook.createToken({ workspace: place.workspace });
    await signInLive(page, place.owner, place.audit);
    await unfold(page).click();
    await expect(rows(page, 'MEMBER_REMOVED').first()).toBeVisible();
    await daybook.record(token, [single('new')]);
    await page.locator('a.fresh').click();
    await expect(rows(page, 'new').first()).toBeVisible();
    await expect(rows(page, 'MEMBER_REMOVED').first()).toBeVisible();
  });

  test.describe('without script', () => {
    test.use({
      javaScriptEnabled: false,
      expectedComplaints: /\.wasm was preloaded using link preload but not used/,
    });

    test('opens all the same', async ({ page, place }) => {
      await signIn(page, place.owner, place.audit);
      const removed = rows(page, 'MEMBER_REMOVED');
      await expect(removed.first()).toBeHidden();
      await unfold(page).click();
      await expect(removed.first()).toBeVisible();
      await expect(removed.last()).toBeVisible();
      await removed.nth(2).locator('a.opener').click();
      await expect(entry(page)).toBeVisible();
      await expect(removed.first()).toBeVisible();
    });
  });

  test.describe('where there is little room', () => {
    test.use({ viewport: { width: 390, height: 800 } });

    test('is one card', async ({ page, place }) => {
      await signInLive(page, place.owner, place.audit);
      await expect(rows(page, 'MEMBER_REMOVED').first()).toBeHidden();
      await unfold(page).click();
      await expect(rows(page, 'MEMBER_REMOVED').first()).toBeVisible();
      await expectAccessible(page);
    });
  });
});
