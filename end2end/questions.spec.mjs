// The questions that Daybook is there for, answered as an admin would: by clicking and typing.

import { growth, ingrid, revenue, ruth, test, tom } from './demo.mjs';
import { expect, live } from './fixtures.mjs';
import {
  actor,
  between,
  change,
  chip,
  clickRow,
  entry,
  expectAsked,
  ids,
  moment,
  newer,
  older,
  range,
  rows,
  search,
  searchFor,
  select,
  signInLive,
  tokens,
} from './steps.mjs';

test('everything Alex did to integrations in the last seven days', async ({ page }) => {
  await signInLive(page, tom, growth);
  await range(page, '7 days').click();
  await expect(tokens(page)).toHaveText([/range last 7 days/]);
  await chip(page, 'Integrations').click();
  await expect(tokens(page)).toHaveCount(2);
  await actor(page).fill('alex kim');
  await expectAsked(page, { range: '7d', category: 'integrations', actor: 'alex kim' });

  await expect(rows(page, 'Issue tracker', 'INTEGRATION_CONNECTED')).toHaveCount(1);
  await expect(rows(page, 'Issue tracker', 'reading is enough')).toHaveCount(1);
  await expect(rows(page, 'HubSpot EMEA', 'integration:authorize')).toHaveCount(1);
  await expect(rows(page, 'RPA invoice bot', 'INTEGRATION_TESTED', 'failed')).toHaveCount(1);
  await expect(rows(page, 'RPA invoice bot', 'integration:enable')).toHaveCount(1);
  await expect(rows(page).filter({ hasNotText: 'Alex Kim' })).toHaveCount(0);
  const marks = page.locator('tr[data-event-id] .mark:not([data-category="integrations"])');
  await expect(marks).toHaveCount(0);
});

test('which secret was rotated before the job failed, by whom, with what note', async ({ page }) => {
  await signInLive(page, tom, growth);
  await searchFor(page, 'reporting-job');
  await select(page, 'Outcome').selectOption('failure');
  await expect(tokens(page)).toHaveText([/outcome failure/, /search reporting-job/]);
  const failed = rows(page, 'JOB_FAILED', 'authentication failed');
  await expect(failed).toHaveCount(6);
  await expect(rows(page)).toHaveCount(6);
  await clickRow(failed.last());
  await expect(entry(page)).toContainText('login.salesforce.com');
  await expect(change(page, 'status')).toContainText('failed');
  const began = await moment(failed.last());

  await page.getByRole('link', { name: 'Clear all' }).click();
  await expect(tokens(page)).toHaveCount(0);
  await searchFor(page, 'salesforce');
  await select(page, 'Action').selectOption('SECRET_ROTATED');
  await between(page, '2000-01-01', began);
  await expectAsked(page, {
    q: 'salesforce',
    action: 'SECRET_ROTATED',
    since: '2000-01-01',
    until: began.replace(' ', 'T'),
  });

  const rotation = rows(page).first();
  await expect(rotation).toContainText('SALESFORCE_CLIENT_SECRET');
  await expect(rotation).toContainText('Priya Raman');
  await expect(rotation).toContainText('partial rotation');
  await clickRow(rotation);
  await expect(change(page, 'version')).toContainText('6');
  await expect(change(page, 'version')).toContainText('7');
  await expect(entry(page).locator('.description').getByText('reporting-job still reads version 6')).toBeVisible();
});

test('who changed the RPA credentials', async ({ page }) => {
  await signInLive(page, tom, growth);
  await searchFor(page, 'rpa');
  await select(page, 'Action').selectOption('RPA_CREDENTIALS_UPDATED');
  await expect(tokens(page)).toHaveCount(2);
  const last = rows(page).first();
  await expect(last).toContainText('RPA invoice bot');
  await expect(last).toContainText('Dmitri Volkov');
  await expect(last).toContainText('deactivated');
  await clickRow(last);
  await expect(change(page, 'credentials.username')).toContainText('svc_rpa_2');
  // That the password changed is told, and not what it is.
  await expect(change(page, 'credentials.password')).toContainText('redacted');
  await expect(entry(page)).not.toContainText('Nordlicht');
});

test('when this user was removed', async ({ page }) => {
  await signInLive(page, tom, growth);
  await searchFor(page, 'Dmitri Volkov');
  await select(page, 'Action').selectOption('MEMBER_DEACTIVATED');
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText('Aylin Demir');

  await searchFor(page, 'kofi mensah');
  await select(page, 'Action').selectOption('MEMBER_REMOVED');
  await expect(rows(page, 'Ingrid Solheim', 'left the company')).toHaveCount(1);
  await expect(rows(page)).toHaveCount(1);
});

test('who created this API key', async ({ page }) => {
  await signInLive(page, tom, growth);
  await searchFor(page, 'CI-prod');
  await select(page, 'Verb').selectOption('Create');
  await expect(tokens(page)).toHaveCount(2);
  const created = rows(page, 'API_TOKEN_CREATED', 'CI-prod');
  await expect(created).toHaveCount(1);
  await expect(created).toContainText('Alex Kim');
  await expect(created).toContainText('alex.kim@acme.example');
});

test('what happened in the forty minutes before the incident', async ({ page }) => {
  await signInLive(page, tom, growth);
  await searchFor(page, 'older than 90 minutes');
  const critical = rows(page, 'alert:update', 'severity');
  await expect(critical).toHaveCount(1);
  // The page shows whole seconds: one minute more holds the alert itself.
  const until = await moment(critical, 1);
  const since = await moment(critical, -40);

  await page.getByRole('link', { name: 'Clear all' }).click();
  await expect(tokens(page)).toHaveCount(0);
  await between(page, since, until);
  await expect(rows(page, 'alert:update').first()).toBeVisible();
  await page.getByRole('columnheader', { name: 'Performed on' }).getByRole('link').click();
  await expectAsked(page, {
    since: since.replace(' ', 'T'),
    until: until.replace(' ', 'T'),
    order: 'asc',
  });

  await expect(rows(page).first()).toContainText('pipeline-forecast-v2');
  const told = (await rows(page).allTextContents()).map((text) => text.replace(/\s+/g, ' '));
  const story = [
    /feature_flag:enable.*pipeline-forecast-v2/,
    /alert:create.*older than 90 minutes/,
    /Mara Lindqvist.*Release assistant.*deployment:create.*checkout-api/,
    /Tom Okafor.*alert:acknowledge/,
    /JOB_FAILED.*reporting-job/,
    /deployment:fail.*checkout-api/,
    /deployment:rollback.*checkout-api/,
    /Jonas Weber.*feature_flag:disable/,
  ];
  const places = story.map((part) => told.findIndex((row) => part.test(row)));
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});

test('who saved the model last, and what exactly changed', async ({ page }) => {
  await signInLive(page, ingrid, growth);
  await page.getByText('Growth', { exact: true }).first().click();
  await page.locator('.switcher').getByRole('link', { name: /^Revenue/ }).click();
  await expect(page).toHaveURL(revenue);
  await searchFor(page, 'qualified pipeline');
  await rows(page, 'data_model').first().getByRole('link', { name: 'Qualified pipeline' }).click();
  await expect(page).toHaveURL('/acme/revenue/objects/data_model/mdl_8d10/audit');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Qualified pipeline');
  await expect(page.locator('.object-line')).toContainText('Last changed by Jonas Weber');

  await clickRow(rows(page).first());
  await expect(entry(page)).toContainText('region added');
  const window = entry(page).locator('.diff tbody tr').filter({ hasText: 'filters' });
  await expect(window.locator('del')).toContainText('45 days');
  await expect(window.locator('ins')).toContainText('30 days');
  const columns = entry(page).locator('.diff tbody tr[data-change="added"]');
  await expect(columns).toContainText('region');

  const lost = rows(page, 'Lucía Fernández', 'failed');
  await expect(lost).toContainText('the save timed out');
  await clickRow(lost);
  await expect(entry(page)).toContainText('attempted');
});

test('whether the token was rotated, and who added the integration', async ({ page }) => {
  await signInLive(page, ruth, growth);
  await searchFor(page, 'warehouse-export');
  await select(page, 'Verb').selectOption('Rotate');
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText('Katrin Vogel');
  await expect(rows(page)).toContainText('was pasted into a ticket');

  await page.getByRole('link', { name: 'Clear all' }).click();
  await expect(search(page)).toHaveValue('');
  await searchFor(page, 'issue tracker');
  await expect(tokens(page)).toHaveText([/search issue tracker/]);
  await page.getByRole('columnheader', { name: 'Performed on' }).getByRole('link').click();
  await expectAsked(page, { q: 'issue tracker', order: 'asc' });
  const added = rows(page).first();
  await expect(added).toContainText('INTEGRATION_CONNECTED');
  await expect(added).toContainText('Alex Kim');
});

test('everything that ever touched this integration, six months back, page by page', async ({
  page,
}) => {
  await signInLive(page, ruth, growth);
  await searchFor(page, 'rpa invoice bot');
  await rows(page).first().getByRole('link', { name: 'RPA invoice bot' }).click();
  await expect(page).toHaveURL(/\/objects\/integration\/int_rpa_invoice_7a\/audit$/);
  await live(page);
  const count = page.getByRole('status').filter({ hasText: 'entries' });
  const total = Number((await count.textContent()).match(/\d+/)[0]);
  expect(total).toBeGreaterThan(100);

  const pages = [await ids(page)];
  while (await older(page).isVisible()) {
    const first = pages.at(-1)[0];
    await older(page).click();
    await expect(rows(page).first()).not.toHaveAttribute('data-event-id', first);
    pages.push(await ids(page));
  }
  const seen = pages.flat();
  expect(seen.length).toBe(total);
  expect(new Set(seen).size).toBe(total);
  const began = rows(page).last();
  await expect(began).toContainText('INTEGRATION_CONNECTED');
  await expect(began).toContainText('Lucía Fernández');
  const months = (Date.now() - Date.parse(`${await moment(began)}Z`)) / 86_400_000 / 30;
  expect(months).toBeGreaterThan(5.9);

  for (const expected of pages.slice(0, -1).reverse()) {
    await newer(page).click();
    await expect(rows(page).first()).toHaveAttribute('data-event-id', expected[0]);
    expect(await ids(page)).toEqual(expected);
  }
  await expect(newer(page)).toHaveCount(0);
});
