// The same with JavaScript off: links and forms do all of it.

import { growth, ingrid, revenue, test, tom } from './demo.mjs';
import { expect } from './fixtures.mjs';
import {
  actor,
  change,
  chip,
  entry,
  expectAsked,
  ids,
  newer,
  older,
  range,
  rows,
  search,
  select,
  signIn,
  tokens,
} from './steps.mjs';

test.use({
  javaScriptEnabled: false,
  // Nothing uses the WebAssembly that the page has the browser fetch early.
  expectedComplaints: /\.wasm was preloaded using link preload but not used/,
});

const apply = (page) => page.getByRole('search').getByRole('button', { name: 'Apply' });

test('a filter is filled in and applied, keeps its values, and is taken away', async ({ page }) => {
  await signIn(page, tom, growth);
  await search(page).fill('rpa');
  await actor(page).fill('dmitri');
  await select(page, 'Action').selectOption('RPA_CREDENTIALS_UPDATED');
  await apply(page).click();
  await expect(rows(page).first()).toContainText('svc_rpa_2');
  await expect(rows(page).filter({ hasNotText: 'Dmitri Volkov' })).toHaveCount(0);
  await expect(search(page)).toHaveValue('rpa');
  await expect(actor(page)).toHaveValue('dmitri');
  await expect(select(page, 'Action')).toHaveValue('RPA_CREDENTIALS_UPDATED');
  await page.getByRole('link', { name: 'Remove the filter search rpa' }).click();
  await expect(tokens(page)).toHaveText([/action RPA_CREDENTIALS_UPDATED/, /actor dmitri/]);
  await expect(search(page)).toHaveValue('');
  await page.getByRole('link', { name: 'Clear all' }).click();
  await expect(tokens(page)).toHaveCount(0);
  await expect(page).toHaveURL(growth);
});

test('a time range and several categories are chosen', async ({ page }) => {
  await signIn(page, tom, growth);
  await range(page, '30 days').click();
  await expectAsked(page, { range: '30d' });
  await chip(page, 'Integrations').click();
  await expectAsked(page, { range: '30d', category: 'integrations' });
  await expect(rows(page).first()).toBeVisible();
  const marks = page.locator('tr[data-event-id] .mark:not([data-category="integrations"])');
  await expect(marks).toHaveCount(0);

  await page.locator('summary', { hasText: 'More' }).click();
  await page.getByRole('checkbox', { name: /^Secrets/ }).check();
  await page.locator('.chips').getByRole('button', { name: 'Apply' }).click();
  await expect(tokens(page)).toHaveText([
    /category Integrations/,
    /category Secrets/,
    /range last 30 days/,
  ]);
  const both = 'tr[data-event-id] .mark:is([data-category="integrations"],[data-category="secrets"])';
  await expect(page.locator(both)).toHaveCount(await rows(page).count());
});

test('dates are typed in', async ({ page }) => {
  await signIn(page, tom, growth);
  await range(page, 'Custom').click();
  const since = page.getByLabel('Since', { exact: true });
  await expect(since).toHaveValue(/^\d{4}-\d\d-\d\d$/);
  const day = (await rows(page).first().locator('time').getAttribute('datetime')).slice(0, 10);
  await since.fill(day);
  await page.getByLabel('Until', { exact: true }).fill(day);
  await page.getByLabel('Until', { exact: true }).press('Enter');
  await expect(since).toHaveValue(day);
  await expect(page.locator('tr.day')).toHaveCount(1);
  await expect(rows(page).first().locator('time')).toHaveAttribute('datetime', new RegExp(day));
});

test('the log is sorted, and read on and back', async ({ page }) => {
  await signIn(page, tom, growth);
  await page.getByRole('columnheader', { name: 'Action' }).getByRole('link').click();
  await expectAsked(page, { sort: 'action' });
  const sorted = page.getByRole('columnheader', { name: 'Action' });
  await expect(sorted).toHaveAttribute('aria-sort', 'ascending');
  const first = await ids(page);
  expect(first).toHaveLength(50);
  await older(page).click();
  await expect(page).toHaveURL(/sort=action.*cursor=/);
  const second = await ids(page);
  expect(new Set([...first, ...second]).size).toBe(100);
  await newer(page).click();
  expect(await ids(page)).toEqual(first);
  await expect(newer(page)).toHaveCount(0);
});

test('a row opens in place and closes', async ({ page }) => {
  await signIn(page, tom, `${growth}`);
  await search(page).fill('salesforce_client_secret');
  await select(page, 'Action').selectOption('SECRET_ROTATED');
  await apply(page).click();
  const before = await ids(page);
  const rotation = rows(page, 'partial rotation');
  await rotation.locator('a.opener').click();
  await expect(change(page, 'version')).toContainText('6');
  await expect(change(page, 'version')).toContainText('7');
  await expect(rotation.locator('a.opener')).toHaveAttribute('aria-expanded', 'true');
  expect(await ids(page)).toEqual(before);
  await page.locator('summary', { hasText: 'The entry as JSON' }).click();
  const json = await entry(page).getByRole('region', { name: 'The entry as JSON' }).textContent();
  expect(JSON.parse(json).action).toBe('SECRET_ROTATED');
  await rotation.locator('a.opener').click();
  await expect(entry(page)).toHaveCount(0);
});

test("an object's Audit tab tells its history", async ({ page }) => {
  await signIn(page, ingrid, revenue);
  await search(page).fill('qualified pipeline');
  await apply(page).click();
  await rows(page, 'data_model').first().getByRole('link', { name: 'Qualified pipeline' }).click();
  await expect(page).toHaveURL('/acme/revenue/objects/data_model/mdl_8d10/audit');
  await rows(page, 'region added').locator('a.opener').click();
  await expect(entry(page)).toContainText('45 days');
  await page.getByRole('link', { name: 'Audit', exact: true }).first().click();
  await expect(page).toHaveURL(revenue);
});

test('an owner shortens the retention and cancels it', async ({ page }) => {
  await signIn(page, ingrid, '/acme/growth/settings');
  await page.locator('#r-days').check();
  await page.getByLabel('Days, 1 to 365').fill('30');
  await page.getByRole('button', { name: 'Save changes' }).click();
  // It deletes entries: whether that is meant is asked first.
  await expect(page.getByText('Not saved yet.')).toBeVisible();
  await page.getByLabel(/^Delete these [0-9,]+ entries$/).check();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await expect(page.getByText('A shorter retention is waiting.')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel it' }).click();
  await expect(page.getByText('A shorter retention is waiting.')).toHaveCount(0);
  await page.getByRole('link', { name: 'Audit', exact: true }).click();
  await expect(rows(page, 'AUDIT_RETENTION_UPDATED', 'Ingrid Solheim')).toHaveCount(1);
  await expect(rows(page, 'AUDIT_RETENTION_CANCELLED', 'Ingrid Solheim')).toHaveCount(1);
});
