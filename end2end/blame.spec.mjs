// Who set each field of an object: with and without script.

import { ingrid, kim, mara, test } from './demo.mjs';
import { expect } from './fixtures.mjs';
import { change, entry, rows, signIn, signInLive } from './steps.mjs';

const robot = '/acme/growth/objects/integration/int_rpa_invoice_7a';
const blame = `${robot}/blame`;

/** The line of a field; in its history, all of them. */
const field = (page, path) => page.locator(`tr[data-field="${path}"]`);
const value = (line) => line.locator('.c-value');
const tab = (page, name) =>
  page.getByRole('navigation', { name: 'This object' }).getByRole('link', { name });

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with script' : 'without script', () => {
    test.use({
      javaScriptEnabled,
      expectedComplaints: javaScriptEnabled ? null : /\.wasm was preloaded using link preload but not used/,
    });
    const arrive = javaScriptEnabled ? signInLive : signIn;

    test('each field tells who set it last, and leads to its entry', async ({ page }) => {
      await arrive(page, mara, `${robot}?tz=Europe%2FOslo`);
      await tab(page, 'Blame').click();
      await expect(page).toHaveURL(`${blame}?tz=Europe%2FOslo`);
      await expect(tab(page, 'Blame')).toHaveAttribute('aria-current', 'page');
      const cron = field(page, 'schedule.cron');
      await expect(value(cron)).toHaveText('0 5 * * 1-5');
      await expect(cron.locator('.c-by')).toContainText('Alex Kim');
      await expect(cron.locator('.c-before')).toContainText('0 6 * * *');
      const folder = field(page, 'inbox.folders[1]');
      await expect(value(folder)).toHaveText('Invoices/Late');
      await expect(folder.locator('.c-by')).toContainText('via');
      await expect(value(field(page, 'credentials.password'))).toContainText('redacted');

      await cron.locator('.c-when a').first().click();
      await expect(page).toHaveURL(/\/audit\?.*open=/);
      await expect(entry(page)).toBeVisible();
      await expect(rows(page).first()).toContainText('Alex Kim');
      await page.goBack();
      await expect(page).toHaveURL(`${blame}?tz=Europe%2FOslo`);
    });

    test('a field opens into its whole history', async ({ page }) => {
      await arrive(page, kim, blame);
      await field(page, 'limits.max_amount_eur').getByRole('rowheader').getByRole('link').click();
      await expect(page).toHaveURL(`${blame}?field=limits.max_amount_eur`);
      const history = field(page, 'limits.max_amount_eur');
      await expect(value(history)).toHaveText([/25000/, /15000/, /10000/]);
      await expect(history.locator('.n')).toHaveText(['3', '2', '1']);
      await page.getByRole('link', { name: 'All fields' }).click();
      await expect(page).toHaveURL(blame);
      await expect(field(page, 'schedule.cron')).toBeVisible();
    });

    test('the object is shown as it was before an entry, and two moments are compared', async ({
      page,
    }) => {
      await arrive(page, kim, blame);
      await field(page, 'schedule.cron').getByRole('link', { name: 'before this' }).click();
      await expect(page).toHaveURL(/\?at=/);
      await expect(value(field(page, 'schedule.cron'))).toHaveText('0 6 * * *');
      await expect(value(field(page, 'schedule.time_zone'))).toHaveText('UTC');

      const then = await page.getByLabel('State at').inputValue();
      await page.getByLabel('State at').fill('');
      await page.getByLabel('Compare with').fill(then);
      await page.getByRole('button', { name: 'Show' }).click();
      const cron = field(page, 'schedule.cron');
      await expect(cron.locator('del')).toContainText('0 6 * * *');
      await expect(cron.locator('ins')).toContainText('0 5 * * 1-5');
      await expect(cron).toContainText('Alex Kim');
      await expect(field(page, 'limits.max_amount_eur')).toHaveCount(0);
      await page.getByRole('link', { name: 'Stop comparing' }).click();
      await expect(value(field(page, 'limits.max_amount_eur'))).toHaveText('25000');

      await page.locator('.moments .menu summary').click();
      await page.locator('.moments .menu-panel a').nth(1).click();
      await expect(page).toHaveURL(/\?at=/);
      await expect(page.getByLabel('State at')).not.toHaveValue('');
    });

    test('a changed field of an entry leads to its history', async ({ page }) => {
      await arrive(page, ingrid, `/acme/growth/audit?action=integration%3Aupdate&actor=alex&q=rpa`);
      const row = rows(page, 'before the office opens').first();
      await row.locator('a.opener').click();
      await change(page, 'schedule.cron').getByRole('link').click();
      await expect(page).toHaveURL(`${blame}?field=schedule.cron`);
      await expect(value(field(page, 'schedule.cron'))).toHaveText(['0 5 * * 1-5', '0 6 * * *']);
    });
  });
}

test.describe('what is not understood', () => {
  test.use({ expectedComplaints: /\b400\b/ });

  test('stays in its field, with a word beside it', async ({ page }) => {
    await signInLive(page, kim, `${blame}?at=soon&compare=2026-05-01`);
    await expect(page.getByLabel('State at')).toHaveValue('soon');
    await expect(page.locator('#b-at-error')).toContainText('Not a date');
    await expect(page.getByLabel('Compare with')).toHaveValue(/^2026-05-01 23:59:59/);
  });
});
