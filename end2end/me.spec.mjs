// My activity: what somebody did themselves, whatever their role.

import { growth, helena, ingrid, kim, own, test } from './demo.mjs';
import { expect, live } from './fixtures.mjs';
import {
  actor,
  clickRow,
  entry,
  expectAsked,
  fillSignIn,
  ids,
  range,
  rows,
  search,
  select,
  signIn,
  signInLive,
  tokens,
  visit,
} from './steps.mjs';

const heading = (page) => page.getByRole('heading', { level: 1 });

test('a member who comes without an address finds what they did themselves', async ({ page }) => {
  await page.goto('/');
  await fillSignIn(page, kim);
  await expect(page).toHaveURL(own);
  await live(page);
  await expect(heading(page)).toHaveText('My activity');
  await expect(page).toHaveTitle(/^My activity, Growth/);
  await expect(rows(page, 'SIGNED_IN').first()).toBeVisible();
  // All of it is theirs: nobody is asked for, nor named in a column.
  await expect(actor(page)).toHaveCount(0);
  await expect(page.getByRole('columnheader', { name: 'Actor' })).toHaveCount(0);
  const bar = page.getByRole('navigation', { name: 'Main' });
  const link = bar.getByRole('link', { name: 'My activity' });
  await expect(link).toHaveAttribute('aria-current', 'page');
});

test('it is what the Audit page shows of them, and no more', async ({ page }) => {
  await signIn(page, kim, `${own}?limit=25`);
  const mine = await ids(page);
  expect(mine.length).toBeGreaterThan(5);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(page, ingrid, `${growth}?limit=200&actor=kim.berg%40acme.example`);
  const theirs = await ids(page);
  expect(theirs).toEqual(expect.arrayContaining(mine));
  await expect(rows(page).filter({ hasNotText: 'Kim Berg' })).toHaveCount(0);
});

test('it is filtered, opened and reloaded like any log', async ({ page }) => {
  await signInLive(page, kim, own);
  await select(page, 'Action').selectOption('SIGNED_IN');
  await expectAsked(page, { action: 'SIGNED_IN' });
  expect(new URL(page.url()).pathname).toBe(own);
  await expect(tokens(page)).toHaveText([/action SIGNED_IN/]);
  await expect(rows(page).filter({ hasNotText: 'SIGNED_IN' })).toHaveCount(0);
  await range(page, '24 hours').click();
  await expectAsked(page, { action: 'SIGNED_IN', range: '24h' });
  await clickRow(rows(page).first());
  await expect(entry(page)).toContainText('kim.berg@acme.example');
  await page.reload();
  await live(page);
  await expect(entry(page)).toBeVisible();
  expect(new URL(page.url()).pathname).toBe(own);
});

test('the choices are of what they did, not of what others do', async ({ page }) => {
  await signInLive(page, kim, own);
  await expect(select(page, 'Action').locator('option[value="SIGNED_IN"]')).toHaveCount(1);
  for (const others of ['RPA_CREDENTIALS_UPDATED', 'WORKSPACE_CREATED']) {
    await expect(select(page, 'Action').locator(`option[value="${others}"]`)).toHaveCount(0);
  }
  const all = page.getByRole('navigation', { name: 'Categories' }).getByRole('link', { name: /^All/ });
  const count = await page.locator('.count b').innerText();
  await expect(all).toContainText(count);
});

test('the name in the bar leads there, for who reads the whole log, too', async ({ page }) => {
  await signInLive(page, ingrid, growth);
  await page.getByRole('banner').getByRole('link', { name: /^Ingrid Solheim/ }).click();
  await expect(page).toHaveURL(own);
  await expect(heading(page)).toHaveText('My activity');
  await expect(page.getByRole('banner').getByRole('link', { name: /^Ingrid Solheim/ })).toHaveAttribute(
    'aria-current',
    'page',
  );
  // Where there is no room for the name, its place does.
  await page.setViewportSize({ width: 390, height: 844 });
  await visit(page, growth);
  await page.getByRole('link', { name: 'My activity' }).click();
  await expect(page).toHaveURL(own);
});

test('an entry of somebody else is not there', async ({ page }) => {
  await signInLive(page, ingrid, `${growth}?actor=alex.kim%40acme.example&limit=5`);
  const [foreign] = await ids(page);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signInLive(page, kim, `${own}?open=${foreign}`);
  await expect(page.getByText('There is no entry')).toBeVisible();
  await expect(entry(page)).toHaveCount(0);
});

test.describe('with values that are none', () => {
  test.use({ expectedComplaints: /\b400\b/ });

  test('naming a workspace widens nothing', async ({ page }) => {
    await signInLive(page, kim, `${own}?workspace=revenue&limit=200`);
    await expect(page.getByRole('alert').first()).toContainText('workspace');
    const shown = await ids(page);
    await visit(page, `${own}?limit=200`);
    expect(await ids(page)).toEqual(shown);
  });
});

test.describe('without access', () => {
  test.use({ expectedComplaints: /\b(403|404)\b/ });

  test('the page without access leads there', async ({ page }) => {
    await signIn(page, kim, growth);
    await expect(page.getByRole('heading', { name: 'not open to you' })).toBeVisible();
    await page.getByRole('link', { name: 'My activity' }).click();
    await expect(page).toHaveURL(own);
    await expect(search(page)).toBeVisible();
  });

  test('who is no member has no activity there', async ({ page }) => {
    await signIn(page, helena, '/acme/revenue/me');
    await expect(heading(page)).toHaveText('My activity');
    const answer = await page.goto(own);
    expect(answer.status()).toBe(404);
    await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  });
});

test.describe('without JavaScript', () => {
  test.use({
    javaScriptEnabled: false,
    expectedComplaints: /\.wasm was preloaded using link preload but not used/,
  });

  test('a filter is applied, and an entry opened', async ({ page }) => {
    await signIn(page, kim, own);
    await select(page, 'Action').selectOption('SIGNED_IN');
    await page.getByRole('search').getByRole('button', { name: 'Apply' }).click();
    await expect(rows(page).filter({ hasNotText: 'SIGNED_IN' })).toHaveCount(0);
    await rows(page).first().locator('a.opener').click();
    await expect(entry(page)).toContainText('kim.berg@acme.example');
    expect(new URL(page.url()).pathname).toBe(own);
  });
});
