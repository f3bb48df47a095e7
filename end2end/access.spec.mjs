// Who sees what, and who does not.

import { growth, helena, ingrid, kim, ruth, test } from './demo.mjs';
import { expect } from './fixtures.mjs';
import { fillSignIn, rows, signIn, signInLive, visit } from './steps.mjs';

const settings = '/acme/growth/settings';

test('a signed-out visitor signs in and lands where they wanted to be', async ({ page }) => {
  const wanted = `${growth}?category=integrations&q=rpa+invoice&tz=Europe%2FOslo&sort=actor`;
  await page.goto(wanted);
  expect(new URL(page.url()).pathname).toBe('/login');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await fillSignIn(page, ingrid);
  await expect(page).toHaveURL(wanted);
  await expect(rows(page, 'RPA invoice bot').first()).toBeVisible();
});

test('who comes without an address lands on the Audit page of a workspace of theirs', async ({
  page,
}) => {
  await page.goto('/');
  expect(new URL(page.url()).pathname).toBe('/login');
  await fillSignIn(page, helena);
  await expect(page).toHaveURL('/acme/revenue/audit');
});

test('a wrong password says so and keeps the way back', async ({ page }) => {
  await page.goto(growth);
  await fillSignIn(page, { email: ingrid.email, password: 'not it' });
  const error = page.getByText('This email and password do not belong together.');
  await expect(error).toBeVisible();
  await Promise.all([
    page.waitForResponse((answer) => answer.request().method() === 'POST'),
    fillSignIn(page, { email: 'nobody@acme.example', password: 'not it' }),
  ]);
  await expect(error).toBeVisible();
  await fillSignIn(page, ingrid);
  await expect(page).toHaveURL(growth);
});

test('who signs out is out', async ({ page }) => {
  await signIn(page, ingrid, growth);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto(growth);
  await expect(page).toHaveURL(/\/login\?next=/);
  await expect(rows(page)).toHaveCount(0);
});

test('who was signed out elsewhere is asked to sign in, and comes back', async ({
  page,
  context,
}) => {
  await signInLive(page, ingrid, growth);
  await context.clearCookies();
  await page.getByLabel('Search', { exact: true }).fill('rpa');
  await expect(page).toHaveURL(/\/login\?next=/);
  await fillSignIn(page, ingrid);
  await expect(page).toHaveURL(`${growth}?q=rpa`);
});

test('an auditor reads the log and the settings', async ({ page }) => {
  await signInLive(page, ruth, growth);
  await expect(rows(page)).toHaveCount(50);
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page).toHaveURL(settings);
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
});

test('a member opens the Audit tab of an object', async ({ page }) => {
  await signInLive(page, kim, '/acme/growth/objects/integration/int_rpa_invoice_7a/audit');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('RPA invoice bot');
  await expect(rows(page).first()).toBeVisible();
  const bar = page.getByRole('navigation', { name: 'Main' });
  await expect(bar.getByRole('link')).toHaveText(['Objects', 'My activity']);
});

test.describe('without the role', () => {
  test.use({ expectedComplaints: /\b403\b/ });

  test('a member finds no access to an object of a guarded kind, and what is open instead', async ({
    page,
  }) => {
    await signIn(page, kim, '/acme/growth/objects/secret/sec_salesforce/audit');
    await expect(page.getByRole('heading', { name: 'This page is not open to you' })).toBeVisible();
    await expect(page.locator('.people')).toContainText('Ingrid Solheim');
    await page.getByRole('main').getByRole('link', { name: 'Objects' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Objects');
  });

  for (const page_ of [growth, settings, `${growth}?q=rpa&open=1`]) {
    test(`a member finds no access at ${page_}, and whom to ask`, async ({ page }) => {
      await page.goto(page_);
      const [answer] = await Promise.all([
        page.waitForResponse((answer) => answer.request().method() === 'GET' && answer.status() === 403),
        fillSignIn(page, kim),
      ]);
      const html = await answer.text();
      await expect(page.getByRole('heading', { name: 'This page is not open to you' })).toBeVisible();
      await expect(page.getByRole('main')).toContainText('kim.berg@acme.example');
      await expect(page.getByRole('main')).toContainText('member');
      await expect(page.locator('.people')).toContainText('Ingrid Solheim');
      // Nothing of the log, of its filters or of the settings, on screen or in what was sent.
      await expect(rows(page)).toHaveCount(0);
      await expect(page.getByRole('search')).toHaveCount(0);
      for (const secret of ['data-event-id', 'RPA', 'Alex Kim', 'Keep entries', 'MEMBER_']) {
        expect(html).not.toContain(secret);
      }
    });
  }
});

test.describe('outside', () => {
  test.use({ expectedComplaints: /\b404\b/ });

  test('who is no member of a workspace cannot tell it from one that is not there', async ({
    page,
  }) => {
    await signIn(page, helena, '/acme/revenue/audit');
    const told = [];
    for (const workspace of ['acme/growth', 'acme/nowhere']) {
      for (const path of [
        'audit',
        'settings',
        'objects',
        'objects/integration/int_rpa_invoice_7a',
        'objects/integration/int_rpa_invoice_7a/audit',
      ]) {
        const answer = await page.goto(`/${workspace}/${path}`);
        expect(answer.status()).toBe(404);
        await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
        told.push(await page.getByRole('main').innerText());
      }
    }
    expect(new Set(told).size).toBe(1);
  });

  test('an address that is none is told so', async ({ page }) => {
    await signIn(page, ingrid, growth);
    const answer = await page.goto('/acme/growth/nothing');
    expect(answer.status()).toBe(404);
    await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
    await page.getByRole('link', { name: 'To your workspace' }).click();
    await expect(page).toHaveURL(/\/audit$/);
  });
});

test('the bar leads from workspace to workspace', async ({ page }) => {
  await signInLive(page, ingrid, growth);
  await page.locator('.switcher summary').click();
  await page.locator('.switcher').getByRole('link', { name: /^Revenue/ }).click();
  await expect(page).toHaveURL('/acme/revenue/audit');
  await expect(page.locator('.switcher summary')).toContainText('Revenue');
  await visit(page, growth);
  await expect(page.locator('.switcher summary')).toContainText('Growth');
});
