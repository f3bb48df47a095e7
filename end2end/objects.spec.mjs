// The list of objects, and what is known of one: with and without script.

import { growth, ingrid, kim, test } from './demo.mjs';
import { expect, live } from './fixtures.mjs';
import { entry, newer, older, rows, signIn, signInLive } from './steps.mjs';

const objects = '/acme/growth/objects';
const robot = `${objects}/integration/int_rpa_invoice_7a`;

const listed = (page) => page.locator('.objects tbody tr');
const names = (page) => listed(page).locator('th').allTextContents();
const tab = (page, name) =>
  page.getByRole('navigation', { name: 'This object' }).getByRole('link', { name });
const crumb = (page, name) =>
  page.getByRole('navigation', { name: 'Where this is' }).getByRole('link', { name });

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with script' : 'without script', () => {
    test.use({
      javaScriptEnabled,
      expectedComplaints: javaScriptEnabled ? null : /\.wasm was preloaded using link preload but not used/,
    });
    const arrive = javaScriptEnabled ? signInLive : signIn;

    test('a member finds an object by a part of its name, and opens it', async ({ page }) => {
      await arrive(page, kim, objects);
      await expect(page.getByText('Those seen last come first.')).toBeVisible();
      await page.getByLabel('Search', { exact: true }).fill('rpa INVOICE');
      await page.getByLabel('Kind', { exact: true }).selectOption('integration');
      await page.getByRole('button', { name: 'Find' }).click();
      await expect(page).toHaveURL(`${objects}?q=rpa+INVOICE&kind=integration`);
      await expect(page.getByLabel('Search', { exact: true })).toHaveValue('rpa INVOICE');
      await expect(page.getByLabel('Kind', { exact: true })).toHaveValue('integration');
      await listed(page).getByRole('link', { name: 'RPA invoice bot', exact: true }).click();
      await expect(page).toHaveURL(robot);
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('RPA invoice bot');
      await page.goBack();
      await page.getByRole('link', { name: 'Clear' }).click();
      await expect(page).toHaveURL(objects);
      await expect(listed(page)).toHaveCount(50);
    });

    test('the list is walked there and back', async ({ page }) => {
      await arrive(page, kim, objects);
      await expect(newer(page)).toHaveCount(0);
      const first = await names(page);
      await older(page).click();
      await expect(page).toHaveURL(/cursor=/);
      await expect(listed(page)).toHaveCount(50);
      expect(await names(page)).not.toEqual(first);
      await newer(page).click();
      await expect(newer(page)).toHaveCount(0);
      expect(await names(page)).toEqual(first);
    });

    test('an Overview leads to the Audit tab, to an entry, and back to the list', async ({
      page,
    }) => {
      await arrive(page, kim, `${robot}?tz=Europe%2FOslo`);
      await expect(page.getByRole('heading', { name: 'Names over time' })).toBeVisible();
      await expect(page.getByText(/^Last changed by/)).toBeVisible();
      await expect(rows(page)).toHaveCount(5);
      await rows(page).first().locator('a.opener').click();
      await expect(page).toHaveURL(/\/audit\?tz=Europe%2FOslo&open=/);
      await expect(entry(page)).toBeVisible();
      await page.goBack();
      await expect(page).toHaveURL(`${robot}?tz=Europe%2FOslo`);
      await expect(tab(page, 'Overview')).toHaveAttribute('aria-current', 'page');

      await tab(page, 'Audit').click();
      await expect(page).toHaveURL(`${robot}/audit?tz=Europe%2FOslo`);
      await expect(tab(page, 'Audit')).toHaveAttribute('aria-current', 'page');
      await tab(page, 'Overview').click();
      await expect(page).toHaveURL(`${robot}?tz=Europe%2FOslo`);
      await crumb(page, 'integration').click();
      await expect(page).toHaveURL(`${objects}?kind=integration&tz=Europe%2FOslo`);
      await expect(page.getByLabel('Kind', { exact: true })).toHaveValue('integration');
      await expect(listed(page).first()).toContainText('integration');
    });
  });
}

test('a click on one of the newest entries opens it on the Audit tab, and Back returns', async ({
  page,
}) => {
  await signInLive(page, kim, robot);
  await rows(page).nth(1).locator('.c-actor').click();
  await expect(page).toHaveURL(/\/audit\?open=/);
  await live(page);
  await expect(entry(page)).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(robot);
  await expect(page.getByRole('heading', { name: 'Newest entries' })).toBeVisible();
});

test('guarded kinds are listed for who reads the log, and not for members', async ({ page }) => {
  await signInLive(page, kim, objects);
  const kinds = page.getByLabel('Kind', { exact: true }).locator('option');
  await expect(kinds.filter({ hasText: /^integration$/ })).toHaveCount(1);
  await expect(kinds.filter({ hasText: /^secret$/ })).toHaveCount(0);
  await page.goto(`${objects}?kind=secret`);
  await expect(page.getByText('Objects of this kind are not open to you')).toBeVisible();
  await expect(listed(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);

  await signInLive(page, ingrid, `${objects}?kind=secret`);
  await expect(listed(page).first()).toContainText('secret');
  await page.goto(growth);
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Objects' }).click();
  await expect(page).toHaveURL(objects);
});
