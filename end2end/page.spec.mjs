// How the page behaves: its address is its state, and nothing loads it anew.

import { growth, ruth, test, tom } from './demo.mjs';
import { expect, live } from './fixtures.mjs';
import {
  actor,
  between,
  chip,
  clickRow,
  entry,
  expectAsked,
  fillSignIn,
  ids,
  newer,
  older,
  range,
  remove,
  rows,
  search,
  searchFor,
  select,
  signInLive,
  tokens,
  visit,
} from './steps.mjs';

/** Marks the document, so that a load of another one shows. */
const mark = (page) => page.evaluate(() => (window.sameDocument = true));
const isSame = (page) => page.evaluate(() => window.sameDocument === true);

test('filters apply without loading the page anew', async ({ page }) => {
  await signInLive(page, tom, growth);
  await mark(page);
  await range(page, '90 days').click();
  await expectAsked(page, { range: '90d' });
  await search(page).fill('salesforce');
  await expectAsked(page, { range: '90d', q: 'salesforce' });
  await select(page, 'Action').selectOption('SECRET_ROTATED');
  await expectAsked(page, { range: '90d', q: 'salesforce', action: 'SECRET_ROTATED' });
  await expect(rows(page).filter({ hasNotText: 'SECRET_ROTATED' })).toHaveCount(0);
  await expect(rows(page, 'partial rotation')).toHaveCount(1);
  await page.getByLabel('system only').check();
  await expectAsked(page, {
    range: '90d',
    q: 'salesforce',
    action: 'SECRET_ROTATED',
    actor_kind: 'system',
  });
  await expect(tokens(page).filter({ hasText: 'system only' })).toHaveCount(1);
  expect(await isSame(page)).toBe(true);
});

test('several categories are chosen with Control held, and with More', async ({ page }) => {
  await signInLive(page, tom, growth);
  await mark(page);
  await chip(page, 'Integrations').click();
  await expectAsked(page, { category: 'integrations' });
  const others = page.locator('.chips a.chip:not(.all):not([aria-current])');
  const other = others.first();
  const name = (await other.textContent()).replace(/^../, '').replace(/[\d,]+$/, '');
  await other.click({ modifiers: ['Control'] });
  await expect(tokens(page)).toHaveText([/category Integrations/, new RegExp(`category ${name}`)]);
  await page.locator('summary', { hasText: 'More' }).click();
  await page.getByRole('checkbox', { name: /^Secrets/ }).check();
  await page.locator('.chips').getByRole('button', { name: 'Apply' }).click();
  await expect(tokens(page)).toHaveCount(3);
  await expect(page.locator('.chips details')).not.toHaveAttribute('open');
  await chip(page, 'All').click();
  await expect(tokens(page)).toHaveCount(0);
  await expect(page).toHaveURL(growth);
  expect(await isSame(page)).toBe(true);
});

test('Back and Forward bring back what was shown, with the fields', async ({ page }) => {
  await signInLive(page, tom, growth);
  await mark(page);
  const first = await ids(page);
  await search(page).fill('rpa invoice bot');
  await expectAsked(page, { q: 'rpa invoice bot' });
  await select(page, 'Verb').selectOption('Update');
  await expectAsked(page, { q: 'rpa invoice bot', verb: 'update' });
  await expect(rows(page, 'RPA_CREDENTIALS_UPDATED').first()).toBeVisible();

  await page.goBack();
  await expectAsked(page, { q: 'rpa invoice bot' });
  await expect(search(page)).toHaveValue('rpa invoice bot');
  await expect(select(page, 'Verb')).toHaveValue('');
  await expect(tokens(page)).toHaveText([/search rpa invoice bot/]);
  await page.goBack();
  await expectAsked(page, {});
  await expect(search(page)).toHaveValue('');
  await expect(tokens(page)).toHaveCount(0);
  await expect.poll(() => ids(page)).toEqual(expect.arrayContaining(first.slice(0, 40)));
  await page.goForward();
  await page.goForward();
  await expectAsked(page, { q: 'rpa invoice bot', verb: 'update' });
  await expect(search(page)).toHaveValue('rpa invoice bot');
  await expect(select(page, 'Verb')).toHaveValue('update');
  await expect(tokens(page)).toHaveCount(2);
  expect(await isSame(page)).toBe(true);

  // After Forward, another change still adds to the history.
  await range(page, '30 days').click();
  await expectAsked(page, { q: 'rpa invoice bot', verb: 'update', range: '30d' });
  await page.goBack();
  await expectAsked(page, { q: 'rpa invoice bot', verb: 'update' });
});

test('pages of the log keep the filters', async ({ page }) => {
  await signInLive(page, ruth, growth);
  await mark(page);
  await chip(page, 'Integrations').click();
  await expectAsked(page, { category: 'integrations' });
  await expect(tokens(page)).toHaveText([/category Integrations/]);
  await expect(rows(page)).toHaveCount(50);
  const first = await ids(page);
  await expect(newer(page)).toHaveCount(0);
  await older(page).click();
  await expect(rows(page).first()).not.toHaveAttribute('data-event-id', first[0]);
  await expect(page).toHaveURL(/category=integrations.*cursor=/);
  const marks = page.locator('tr[data-event-id] .mark:not([data-category="integrations"])');
  await expect(marks).toHaveCount(0);
  const second = await ids(page);
  expect(new Set([...first, ...second]).size).toBe(first.length + second.length);
  await newer(page).click();
  await expect(rows(page).first()).toHaveAttribute('data-event-id', first[0]);
  expect(await ids(page)).toEqual(first);
  expect(await isSame(page)).toBe(true);
});

test('a page is as long as asked for', async ({ page }) => {
  await signInLive(page, ruth, growth);
  await page.locator('.sizes').getByRole('link', { name: '25', exact: true }).click();
  await expectAsked(page, { limit: '25' });
  await expect(rows(page)).toHaveCount(25);
  await search(page).fill('rpa');
  await expectAsked(page, { q: 'rpa', limit: '25' });
});

test('a row opens in its place, and closes with a second click', async ({ page }) => {
  await signInLive(page, tom, growth);
  await mark(page);
  const before = await ids(page);
  const row = rows(page).nth(30);
  await row.scrollIntoViewIfNeeded();
  const scrolled = await page.evaluate(() => window.scrollY);
  const place = (await row.boundingBox()).y;
  await clickRow(row);
  await expectAsked(page, { open: before[30] });
  await expect(entry(page)).toHaveAttribute('id', `d-${before[30]}`);
  await expect(row.locator('a.opener')).toHaveAttribute('aria-expanded', 'true');
  expect(await ids(page)).toEqual(before);
  expect((await row.boundingBox()).y).toBeCloseTo(place, 0);
  expect(await page.evaluate(() => window.scrollY)).toBe(scrolled);
  await clickRow(row);
  await expectAsked(page, {});
  await expect(entry(page)).toHaveCount(0);
  expect(await ids(page)).toEqual(before);
  expect(await isSame(page)).toBe(true);
});

test('opening another row closes the first, and Back opens it again', async ({ page }) => {
  await signInLive(page, tom, growth);
  const all = await ids(page);
  await clickRow(rows(page).nth(3));
  await expect(entry(page)).toHaveAttribute('id', `d-${all[3]}`);
  await clickRow(rows(page).nth(1));
  await expect(entry(page)).toHaveAttribute('id', `d-${all[1]}`);
  await expect(entry(page)).toHaveCount(1);
  await page.goBack();
  await expect(entry(page)).toHaveAttribute('id', `d-${all[3]}`);
  await page.goBack();
  await expect(entry(page)).toHaveCount(0);
});

test('Escape closes the open row', async ({ page }) => {
  await signInLive(page, tom, growth);
  await clickRow(rows(page).nth(2));
  await expect(entry(page)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(entry(page)).toHaveCount(0);
  await expectAsked(page, {});
});

test('a row is opened and closed with the keyboard', async ({ page }) => {
  await signInLive(page, tom, growth);
  const opener = rows(page).nth(2).locator('a.opener');
  await opener.focus();
  await page.keyboard.press('Enter');
  await expect(entry(page)).toBeVisible();
  await expect(opener).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(entry(page)).toHaveCount(0);
  await expect(opener).toBeFocused();
});

test('an open row leads to all of the same actor, action, target and operation', async ({ page }) => {
  await signInLive(page, tom, growth);
  await search(page).fill('partial rotation');
  await searchFor(page, 'salesforce_client_secret');
  await expectAsked(page, { q: 'salesforce_client_secret' });
  const rotation = rows(page, 'partial rotation');
  await clickRow(rotation);
  const actions = page.getByRole('group', { name: 'Actions for this entry' });
  await actions.getByRole('link', { name: 'This action' }).click();
  await expectAsked(page, { action: 'SECRET_ROTATED' });
  await expect(rows(page).first()).toBeVisible();
  await expect(rows(page).filter({ hasNotText: 'SECRET_ROTATED' })).toHaveCount(0);
  await page.goBack();
  await expect(rotation).toBeVisible();
  await actions.getByRole('link', { name: 'Priya Raman' }).click();
  await expect(tokens(page)).toHaveText([/actor Priya Raman/]);
  await expect(rows(page).first()).toBeVisible();
  await expect(rows(page).filter({ hasNotText: 'Priya Raman' })).toHaveCount(0);
  await page.goBack();
  await expect(rotation).toBeVisible();
  await actions.getByRole('link', { name: 'This secret' }).click();
  await expectAsked(page, { target_kind: 'secret', target_id: 'sec_4f9d21ab' });
  await expect(rows(page, 'second rotation')).toHaveCount(1);
  await page.goBack();
  await expect(rotation).toBeVisible();
  await actions.getByRole('link', { name: 'Its Audit tab' }).click();
  await expect(page).toHaveURL('/acme/growth/objects/secret/sec_4f9d21ab/audit');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('SALESFORCE_CLIENT_SECRET');
});

test('who only looks at an object neither changes nor renames it', async ({ page }) => {
  const secret = '/acme/growth/objects/secret/sec_4f9d21ab/audit';
  await signInLive(page, ruth, secret);
  // The look itself is recorded, and is there when it is loaded again.
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('SALESFORCE_CLIENT_SECRET');
  await expect(page.locator('.object-line')).toContainText('Last changed by Priya Raman');
  await expect(page.getByRole('link', { name: 'Open the secret' })).toBeVisible();
});

test('the heads of the columns sort in both directions', async ({ page }) => {
  await signInLive(page, tom, `${growth}?limit=200`);
  const heads = [
    ['Action', 'action', '.c-action code'],
    ['Actor', 'actor', '.c-actor .name'],
    ['Target', 'target_kind', '.c-target .kind'],
  ];
  for (const [name, sort, cell] of heads) {
    const head = page.getByRole('columnheader', { name });
    const shown = () => page.locator(`tr[data-event-id] ${cell}`).allTextContents();
    const inOrder = async (sign) => {
      const texts = (await shown()).map((text) => text.trim().toLowerCase());
      const sorted = [...texts].sort((a, b) => sign * (a < b ? -1 : a > b ? 1 : 0));
      return texts.length > 100 && JSON.stringify(texts) === JSON.stringify(sorted);
    };
    await head.getByRole('link').click();
    await expectAsked(page, { sort, limit: '200' });
    await expect(head).toHaveAttribute('aria-sort', 'ascending');
    await expect.poll(() => inOrder(1)).toBe(true);
    await head.getByRole('link').click();
    await expectAsked(page, { sort, order: 'desc', limit: '200' });
    await expect(head).toHaveAttribute('aria-sort', 'descending');
    await expect.poll(() => inOrder(-1)).toBe(true);
  }
});

test('each filter is taken away by itself, and all of them at once', async ({ page }) => {
  await signInLive(page, tom, `${growth}?category=secrets&q=salesforce&range=90d&tz=Europe%2FOslo`);
  await expect(tokens(page)).toHaveText([
    /category Secrets/,
    /search salesforce/,
    /range last 90 days/,
  ]);
  await remove(page, 'search salesforce').click();
  await expectAsked(page, { category: 'secrets', range: '90d', tz: 'Europe/Oslo' });
  await expect(search(page)).toHaveValue('');
  await page.getByRole('link', { name: 'Clear all' }).click();
  await expectAsked(page, { tz: 'Europe/Oslo' });
  await expect(tokens(page)).toHaveCount(0);
});

test.describe('with a value that is not understood', () => {
  test.use({ expectedComplaints: /\b400\b/ });

  test('the answer is a 400 with a message beside the field, and the other filters hold', async ({
    page,
  }) => {
    await signInLive(page, tom, growth);
    const answer = await page.goto(`${growth}?q=salesforce&verb=rotat&since=2026-05-32&sort=colour`);
    expect(answer.status()).toBe(400);
    const verb = select(page, 'Verb');
    await expect(verb).toHaveAttribute('aria-invalid', 'true');
    await expect(verb).toHaveAccessibleDescription(/rotat/);
    await expect(verb).toHaveValue('rotat');
    const since = page.getByLabel('Since', { exact: true });
    await expect(since).toHaveAttribute('aria-invalid', 'true');
    await expect(since).toHaveAccessibleDescription(/Not a date/);
    await expect(since).toHaveValue('2026-05-32');
    await expect(page.getByRole('alert').first()).toContainText('sort');
    await expect(search(page)).toHaveValue('salesforce');
    await expect(rows(page, 'SALESFORCE_CLIENT_SECRET').first()).toBeVisible();
    await expect(rows(page).filter({ hasNotText: /salesforce/i })).toHaveCount(0);
  });

  test('a cursor that is not of this question is refused, and leads to the first page', async ({
    page,
  }) => {
    await signInLive(page, tom, growth);
    const next = new URL(await older(page).getAttribute('href'), page.url());
    const cursor = next.searchParams.get('cursor');
    for (const query of [`cursor=nonsense`, `q=rpa&cursor=${encodeURIComponent(cursor)}`]) {
      const answer = await page.goto(`${growth}?${query}`);
      expect(answer.status()).toBe(400);
      await expect(page.getByRole('heading', { name: /cannot be found again/ })).toBeVisible();
      await expect(rows(page)).toHaveCount(0);
    }
    await page.getByRole('link', { name: 'To the first page' }).click();
    await expectAsked(page, { q: 'rpa' });
    await expect(rows(page, 'RPA').first()).toBeVisible();
  });
});

test('a first visit loads little', async ({ page }) => {
  await page.goto('/login');
  await live(page);
  const visited = () =>
    page.evaluate(() =>
      ['navigation', 'resource']
        .flatMap((type) => performance.getEntriesByType(type))
        .reduce((bytes, { encodedBodySize }) => bytes + encodedBodySize, 0),
    );
  const first = await visited();
  await fillSignIn(page, tom);
  await live(page);
  await expect(rows(page)).toHaveCount(50);
  // The second page takes from the browser's own store what the first one loaded.
  const second = await page.evaluate(() =>
    ['navigation', 'resource']
      .flatMap((type) => performance.getEntriesByType(type))
      .reduce((bytes, { transferSize }) => bytes + transferSize, 0),
  );
  expect(first).toBeGreaterThan(50_000);
  expect(first + second).toBeLessThan(350 * 1024);
});

test('boxes that were ticked and not applied are forgotten when a row is opened', async ({ page }) => {
  await signInLive(page, tom, growth);
  await page.locator('summary', { hasText: 'More' }).click();
  await page.getByRole('checkbox', { name: /^Secrets/ }).check();
  await page.keyboard.press('Escape');
  await rows(page).nth(1).locator('a.opener').click();
  await expect(entry(page)).toBeVisible();
  await expect(tokens(page)).toHaveCount(0);
});

test('what was asked holds when the next click comes before the answer', async ({ page }) => {
  await signInLive(page, tom, growth);
  let letThrough;
  const clicked = new Promise((resolve) => (letThrough = resolve));
  await page.route('**/ui/**', async (route) => {
    await clicked;
    await route.continue();
  });
  await search(page).fill('salesforce');
  await expectAsked(page, { q: 'salesforce' });
  await range(page, '90 days').click();
  letThrough();
  await expectAsked(page, { q: 'salesforce', range: '90d' });
  await expect(tokens(page)).toHaveCount(2);
  await expect(search(page)).toHaveValue('salesforce');
});

test('a date that is none keeps what was typed and what else was asked', async ({ page }) => {
  await signInLive(page, tom, `${growth}?q=salesforce`);
  await mark(page);
  await between(page, '2026-05-32', '2026-13-01');
  await expectAsked(page, { q: 'salesforce', since: '2026-05-32', until: '2026-13-01' });
  const since = page.getByLabel('Since', { exact: true });
  await expect(since).toHaveAccessibleDescription(/Not a date/);
  await expect(since).toHaveValue('2026-05-32');
  await expect(page.getByLabel('Until', { exact: true })).toHaveValue('2026-13-01');
  await expect(search(page)).toHaveValue('salesforce');
  await expect(rows(page).first()).toBeVisible();
  expect(await isSame(page)).toBe(true);
});

test('what is being typed stays when the answer to another field comes', async ({ page }) => {
  await signInLive(page, tom, growth);
  await range(page, 'Custom').click();
  const since = page.getByLabel('Since', { exact: true });
  const until = page.getByLabel('Until', { exact: true });
  await expect(since).toBeVisible();
  let letThrough;
  const typed = new Promise((resolve) => (letThrough = resolve));
  await page.route('**/ui/**', async (route) => {
    await typed;
    await route.continue();
  });
  await since.fill('2020-01-01');
  await until.click();
  await until.fill('2020-02');
  letThrough();
  await expect(page.getByText('2020-01-01').first()).toBeVisible();
  await expect(tokens(page)).toHaveText([/since 2020-01-01/, /until/]);
  await expect(until).toHaveValue('2020-02');
  await until.pressSequentially('-03');
  await until.press('Enter');
  await expectAsked(page, { since: '2020-01-01', until: '2020-02-03' });
});

test('a shared link opens its entry, also one that is not on the page', async ({ page }) => {
  await signInLive(page, tom, `${growth}?order=asc`);
  const oldest = rows(page).first();
  const id = await oldest.getAttribute('data-event-id');
  await visit(page, `${growth}?open=${id}`);
  const apart = page.getByRole('region', { name: 'The entry that this address opens' });
  await expect(apart.locator(`tr[data-event-id="${id}"]`)).toBeVisible();
  await expect(entry(page)).toBeVisible();
  await expect(page.locator(`.log tr[data-event-id="${id}"]`)).toHaveCount(0);
  await expect(page.locator('.log tr[data-event-id]')).toHaveCount(50);
  await apart.getByRole('link', { name: 'Close it' }).click();
  await expect(apart).toHaveCount(0);
  await expectAsked(page, {});

  await visit(page, `${growth}?open=01970c3e-8d1c-7cc0-b3a1-5f0e6f1f8a11`);
  await expect(page.getByText('There is no entry')).toBeVisible();
  await expect(rows(page)).toHaveCount(50);
});

test.describe('in Tokyo', () => {
  test.use({ timezoneId: 'Asia/Tokyo' });

  test('times are shown in the zone that is chosen, which the address carries', async ({ page }) => {
    await signInLive(page, tom, growth);
    const head = page.getByRole('columnheader', { name: 'Performed on' });
    await expect(head).toContainText('UTC');
    const row = rows(page).nth(10);
    const id = await row.getAttribute('data-event-id');
    const same = page.locator(`tr[data-event-id="${id}"]`);
    const moment = Date.parse(await same.locator('time').getAttribute('datetime'));
    const written = (zone) =>
      new Intl.DateTimeFormat('sv-SE', { timeZone: zone, timeStyle: 'medium' }).format(moment);
    await expect(same.locator('.clock')).toHaveText(written('UTC'));

    await page.locator('.zone summary').click();
    await page.getByRole('link', { name: /Asia\/Tokyo/ }).click();
    await expectAsked(page, { tz: 'Asia/Tokyo' });
    await expect(head).toContainText('Asia/Tokyo');
    await expect(same.locator('.clock')).toHaveText(written('Asia/Tokyo'));

    // It is remembered for who comes without an address, and kept by the links of the page.
    await visit(page, '/');
    await expectAsked(page, { tz: 'Asia/Tokyo' });
    const tab = rows(page).locator('a.name').first();
    await expect(tab).toHaveAttribute('href', /\/audit\?tz=Asia%2FTokyo$/);

    await page.locator('.zone summary').click();
    await page.getByLabel('Another, by its name').fill('America/New_York');
    await page.getByLabel('Another, by its name').press('Enter');
    await expectAsked(page, { tz: 'America/New_York' });
    await expect(head).toContainText('America/New_York');
    await expect(same.locator('.clock')).toHaveText(written('America/New_York'));

    await page.locator('.zone summary').click();
    await page.locator('.zone').getByRole('link', { name: 'UTC' }).click();
    await expectAsked(page, {});
    await expect(head).toContainText('UTC');
  });
});

test('nothing matches, and everything is a click away', async ({ page }) => {
  await signInLive(page, tom, growth);
  await search(page).fill('there is no such thing');
  await expect(page.getByRole('heading', { name: 'Nothing matches these filters' })).toBeVisible();
  await expect(rows(page)).toHaveCount(0);
  await expect(older(page)).toHaveCount(0);
  await page.getByRole('link', { name: 'Clear all filters' }).click();
  await expect(rows(page)).toHaveCount(50);
  await expect(search(page)).toHaveValue('');
});

test.describe('when the server does not answer', () => {
  test.use({ expectedComplaints: /ERR_INTERNET_DISCONNECTED/ });

  test('what was on screen stays, and trying again works', async ({ page, context }) => {
    await signInLive(page, tom, growth);
    await mark(page);
    const before = await ids(page);
    await context.setOffline(true);
    await chip(page, 'Integrations').click();
    const alert = page.getByRole('alert').filter({ hasText: 'The server does not answer' });
    await expect(alert).toBeVisible();
    expect(await ids(page)).toEqual(before);
    await context.setOffline(false);
    await alert.getByRole('link', { name: 'Try again' }).click();
    await expect(alert).toHaveCount(0);
    await expectAsked(page, { category: 'integrations' });
    await expect(tokens(page)).toHaveText([/category Integrations/]);
    const marks = page.locator('tr[data-event-id] .mark:not([data-category="integrations"])');
    await expect(marks).toHaveCount(0);
    await expect(rows(page)).toHaveCount(50);
    expect(await isSame(page)).toBe(true);
  });

  test('a row that could not be opened opens when tried again', async ({ page, context }) => {
    await signInLive(page, tom, growth);
    const before = await ids(page);
    await context.setOffline(true);
    await clickRow(rows(page).nth(4));
    const alert = page.getByRole('alert').filter({ hasText: 'The server does not answer' });
    await expect(alert).toBeVisible();
    expect(await ids(page)).toEqual(before);
    await context.setOffline(false);
    await alert.getByRole('link', { name: 'Try again' }).click();
    await expect(alert).toHaveCount(0);
    await expect(entry(page)).toHaveAttribute('id', `d-${before[4]}`);
  });
});

test('an actor is found by a part of the name or address, and by who acted for them', async ({
  page,
}) => {
  await signInLive(page, tom, growth);
  await actor(page).fill('MARA.LIND');
  await expectAsked(page, { actor: 'MARA.LIND' });
  await expect(tokens(page)).toHaveCount(1);
  await expect(rows(page).filter({ hasNotText: 'Mara Lindqvist' })).toHaveCount(0);
  await expect(rows(page).first()).toBeVisible();
  await actor(page).fill('release assistant');
  await expectAsked(page, { actor: 'release assistant' });
  await expect(rows(page).filter({ hasNotText: 'Release assistant' })).toHaveCount(0);
  await expect(rows(page, 'via Release assistant', 'Mara Lindqvist').first()).toBeVisible();
});
