// A tenant's Audit page: all its workspaces, for who administers the tenant.

import { bartholomew, growth, helena, ingrid, revenue, ruth, tenant, test } from './demo.mjs';
import { expect, live } from './fixtures.mjs';
import {
  clickRow,
  entry,
  expectAsked,
  fillSignIn,
  ids,
  newer,
  older,
  remove,
  rows,
  searchFor,
  select,
  signIn,
  signInLive,
  tokens,
  visit,
} from './steps.mjs';

const places = (page) => page.locator('tr[data-event-id] .c-workspace');

/** Every row says that it lies there. */
async function expectOnly(page, name) {
  await expect(places(page).first()).toHaveText(name);
  await expect(places(page).filter({ hasNotText: name })).toHaveCount(0);
  expect(await places(page).count()).toBe(await rows(page).count());
}

test('a tenant admin sees the log of every workspace, and chooses among them', async ({ page }) => {
  await signInLive(page, bartholomew, tenant);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Audit, all workspaces');
  await expect(page).toHaveTitle(/^Audit, all workspaces of Acme/);
  await expect(page.getByRole('columnheader', { name: 'Workspace' })).toBeVisible();
  await expect(rows(page)).toHaveCount(50);

  await select(page, 'Workspace').selectOption('Revenue');
  await expectAsked(page, { workspace: 'revenue' });
  await expect(tokens(page)).toHaveText([/workspace Revenue/]);
  await expectOnly(page, 'Revenue');
  const first = await ids(page);
  await older(page).click();
  await expect(newer(page)).toBeVisible();
  await expectOnly(page, 'Revenue');
  await newer(page).click();
  await expect.poll(() => ids(page)).toEqual(first);

  await select(page, 'Workspace').selectOption('Growth');
  await expectAsked(page, { workspace: 'growth' });
  await expectOnly(page, 'Growth');
  await searchFor(page, 'rpa invoice');
  await expectAsked(page, { workspace: 'growth', q: 'rpa invoice' });
  await expect(rows(page, 'RPA invoice bot').first()).toBeVisible();
  await remove(page, 'workspace Growth').click();
  await expectAsked(page, { q: 'rpa invoice' });
  await expect(select(page, 'Workspace')).toHaveValue('');
});

test('several workspaces are asked for by the address', async ({ page }) => {
  await signInLive(page, bartholomew, `${tenant}?workspace=growth&workspace=revenue&limit=200`);
  await expect(tokens(page)).toHaveText([/workspace Growth/, /workspace Revenue/]);
  const seen = places(page).filter({ visible: true });
  await expect(seen.filter({ hasText: 'Growth' }).first()).toBeVisible();
  await expect(seen.filter({ hasText: 'Revenue' }).first()).toBeVisible();
  await expect(places(page).filter({ hasText: 'Acme' })).toHaveCount(0);
});

test("the tenant's own entries bear its name, and lead to no workspace", async ({ page }) => {
  await signInLive(page, bartholomew, `${tenant}?action=TENANT_CREATED`);
  await expect(rows(page)).toHaveCount(1);
  await expect(places(page)).toContainText('Acme');
  await expect(rows(page).locator('.c-target a')).toHaveCount(0);
});

test('an entry opens on the page, and an object lies in its workspace', async ({ page }) => {
  await signInLive(page, bartholomew, `${tenant}?q=salesforce_client_secret&action=SECRET_ROTATED`);
  const row = rows(page, 'partial rotation');
  await clickRow(row);
  await expect(entry(page)).toBeVisible();
  expect(new URL(page.url()).pathname).toBe(tenant);
  await page.reload();
  await live(page);
  await expect(entry(page)).toBeVisible();

  await entry(page).getByRole('link', { name: 'Growth', exact: true }).click();
  await expectAsked(page, { workspace: 'growth' });
  expect(new URL(page.url()).pathname).toBe(tenant);
  await expectOnly(page, 'Growth');

  await searchFor(page, 'salesforce_client_secret');
  await expectAsked(page, { workspace: 'growth', q: 'salesforce_client_secret' });
  await rows(page, 'SECRET_ROTATED').first().locator('.c-target a').click();
  await expect(page).toHaveURL(/\/acme\/growth\/objects\/secret\/.*\/audit/);
  await expect(page.getByRole('navigation', { name: 'This object' })).toBeVisible();
});

test('the bar leads from the tenant to a workspace and back', async ({ page }) => {
  await signInLive(page, bartholomew, tenant);
  const switcher = page.locator('.switcher');
  await expect(switcher.locator('summary')).toContainText('All workspaces');
  const bar = page.getByRole('navigation', { name: 'Main' });
  await expect(bar.getByRole('link', { name: 'Audit' })).toHaveAttribute('href', tenant);
  await switcher.locator('summary').click();
  await switcher.getByRole('link', { name: /^Revenue/ }).click();
  await expect(page).toHaveURL(revenue);
  await expect(page.getByRole('columnheader', { name: 'Workspace' })).toHaveCount(0);
  await switcher.locator('summary').click();
  await switcher.getByRole('link', { name: /^All workspaces/ }).click();
  await expect(page).toHaveURL(tenant);
  await expect(page.getByRole('columnheader', { name: 'Workspace' })).toBeVisible();
  // Who comes without an address is where they looked last: in a workspace.
  await page.goto('/');
  await expect(page).toHaveURL(revenue);
});

test('a look at it is an entry of the tenant', async ({ page }) => {
  await signInLive(page, bartholomew, tenant);
  await visit(page, `${tenant}?action=AUDIT_LOG_READ&actor=bartholomew`);
  await expect(places(page).filter({ hasText: 'Acme' }).first()).toBeVisible();
});

test.describe('with values that are none', () => {
  test.use({ expectedComplaints: /\b400\b/ });

  test('a workspace that is none is said beside the field, and the rest holds', async ({ page }) => {
    await signInLive(page, bartholomew, `${tenant}?workspace=nowhere&q=rpa+invoice`);
    await expect(select(page, 'Workspace')).toHaveAccessibleDescription(/nowhere/);
    await expect(rows(page, 'RPA invoice bot').first()).toBeVisible();
  });

  test("naming a workspace on a workspace's own page widens nothing", async ({ page }) => {
    await signInLive(page, helena, revenue);
    const shown = await ids(page);
    await visit(page, `${revenue}?workspace=growth`);
    await expect(page.getByRole('alert').first()).toContainText('workspace');
    // Nothing but what was shown before, and that she looked.
    expect(await ids(page)).toEqual(expect.arrayContaining(shown.slice(0, 10)));
    await expect(page.locator('.c-workspace')).toHaveCount(0);
  });
});

test.describe('without the role', () => {
  test.use({ expectedComplaints: /\b403\b/ });

  for (const person of [ingrid, helena, ruth]) {
    test(`${person.email} finds no access, and whom to ask`, async ({ page }) => {
      await page.goto(tenant);
      await fillSignIn(page, person);
      await expect(page.getByRole('heading', { name: 'not open to you' })).toBeVisible();
      await expect(page.locator('.people')).toContainText('Bartholomew Featherstonehaugh');
      await expect(page.getByRole('main')).toContainText(person.email);
      await expect(rows(page)).toHaveCount(0);
      await expect(page.getByRole('search')).toHaveCount(0);
      await page.getByRole('link', { name: 'To your workspace' }).click();
      await expect(page).toHaveURL(/\/acme\/(growth|revenue)\/audit/);
      await expect(page.getByRole('link', { name: /^All workspaces/ })).toHaveCount(0);
    });
  }
});

test.describe('without JavaScript', () => {
  test.use({
    javaScriptEnabled: false,
    expectedComplaints: /\.wasm was preloaded using link preload but not used/,
  });

  test('a workspace is chosen and taken away, and an entry opened', async ({ page }) => {
    await signIn(page, bartholomew, tenant);
    await select(page, 'Workspace').selectOption('Revenue');
    await page.getByRole('search').getByRole('button', { name: 'Apply' }).click();
    await expectOnly(page, 'Revenue');
    await rows(page).first().locator('a.opener').click();
    await expect(entry(page)).toBeVisible();
    await expect(select(page, 'Workspace')).toHaveValue('revenue');
    await older(page).click();
    await expectOnly(page, 'Revenue');
    await remove(page, 'workspace Revenue').click();
    await expect(page).toHaveURL(tenant);
    await page.goto(growth);
    await expect(rows(page)).toHaveCount(50);
  });
});
