// Settings → API tokens: made, shown once, used and revoked, with script and without.

import { expect, live, test } from './fixtures.mjs';
import { rows, signIn } from './steps.mjs';

test.use({ people: { admin: 'Ada', auditor: 'Aron' } });

const event = {
  actor: { kind: 'user', id: 'usr_1', name: 'Ingrid Solheim' },
  action: 'MEMBER_ADDED',
  target: { kind: 'member', id: 'usr_2', name: 'Tom Okafor' },
};

const places = (page) => page.getByRole('navigation', { name: 'Settings' });
const token = (page, name) => page.locator('tr[data-token]').filter({ hasText: name });
const revoke = (page, name) => token(page, name).getByRole('link', { name: /^Revoke/ });
const asked = (page, name) => page.getByRole('group', { name: `Revoke “${name}”?` });
const secret = (page) => page.locator('#token-secret');
const scope = (page, name) => page.getByRole('checkbox', { name, exact: true });
const create = (page) => page.getByRole('button', { name: 'Create token' }).click();

for (const script of [true, false]) {
  test.describe(script ? 'with script' : 'without script', () => {
    // Without script nothing uses the WebAssembly that the page has the browser fetch early.
    const unused = script ? [] : ['\\.wasm was preloaded using link preload but not used'];
    const complaints = (...expected) => new RegExp([...unused, ...expected].join('|') || '$^');
    test.use({ javaScriptEnabled: script, expectedComplaints: complaints() });

    const arrive = async (page, person, path) => {
      await signIn(page, person, path);
      if (script) await live(page);
    };

    test('a token is created, shown once, used and revoked', async ({ page, daybook, place }) => {
      await arrive(page, place.owner, place.settings);
      await places(page).getByRole('link', { name: 'API tokens' }).click();
      await expect(page).toHaveURL(place.tokens);
      await expect(places(page).locator('[aria-current="page"]')).toHaveText('API tokens');
      await expect(page.getByText('There are none.')).toBeVisible();

      await page.getByLabel('Name', { exact: true }).fill('billing');
      await expect(scope(page, 'events:write')).toBeChecked();
      await expect(scope(page, 'events:read')).not.toBeChecked();
      await scope(page, 'events:read').check();
      await page.getByLabel('Oldest entry that it may send, in days').fill('30');
      await create(page);
      await expect(secret(page)).toHaveText(/^dbk_/);
      const shown = await secret(page).textContent();
      expect(page.url()).not.toContain(shown);
      await expect(page.locator('#token-command')).toContainText(`curl ${daybook.url}/api/v1/events`);
      expect(await daybook.record(shown, event)).toMatchObject({ recorded: 1 });

      await page.reload();
      await expect(page.getByText('Its secret was shown once and is not kept.')).toBeVisible();
      await expect(secret(page)).toHaveCount(0);
      expect(await page.content()).not.toContain(shown);
      await expect(token(page, 'billing')).toContainText('events:read');
      await expect(token(page, 'billing')).toContainText('nothing older than 30 days');
      await expect(token(page, 'billing')).toContainText('by Olga');
      await expect(token(page, 'billing')).toContainText('just now');

      await revoke(page, 'billing').click();
      await expect(asked(page, 'billing')).toContainText('It was last used');
      await page.getByRole('link', { name: 'Keep it' }).click();
      await expect(asked(page, 'billing')).toHaveCount(0);
      expect(await daybook.record(shown, event)).toMatchObject({ recorded: 1 });
      await revoke(page, 'billing').click();
      await page.getByRole('button', { name: 'Revoke it' }).click();
      await expect(page.getByText('“billing” is revoked.')).toBeVisible();
      await expect(daybook.record(shown, event)).rejects.toThrow(/401/);
      await expect(token(page, 'billing')).toContainText('revoked');
      await expect(revoke(page, 'billing')).toHaveCount(0);

      // Its name leads to what the log knows of it.
      await token(page, 'billing').getByRole('link', { name: 'billing', exact: true }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('billing');
      await expect(rows(page, 'API_TOKEN_CREATED', 'Olga')).toHaveCount(1);
      await expect(rows(page, 'API_TOKEN_REVOKED', 'Olga')).toHaveCount(1);
    });

    test('a token that somebody else revoked meanwhile is said to be so', async ({
      page,
      daybook,
      place,
    }) => {
      await daybook.createToken({ workspace: place.workspace, name: 'ci' });
      await arrive(page, place.admin, place.tokens);
      await revoke(page, 'ci').click();
      const id = await token(page, 'ci').getAttribute('data-token');
      await daybook.run(['token', 'revoke', '--id', id]);
      await page.getByRole('button', { name: 'Revoke it' }).click();
      await expect(page.getByText('“ci” was revoked before by system')).toBeVisible();
    });

    test("the tenant's tokens are shown, and cannot be revoked there", async ({
      page,
      daybook,
      place,
    }) => {
      const line = ['--tenant', place.tenant, '--name', 'everywhere', '--scope', 'events:write'];
      await daybook.run(['token', 'create', ...line]);
      await arrive(page, place.admin, place.tokens);
      const all = page.getByRole('region', { name: 'Tokens of the tenant' });
      await expect(all).toContainText('everywhere');
      await expect(revoke(page, 'everywhere')).toHaveCount(0);
    });

    test.describe('with something missing', () => {
      test.use({ expectedComplaints: complaints('\\b400\\b') });

      test('what was typed is kept, with a message beside what is missing', async ({
        page,
        place,
      }) => {
        await arrive(page, place.owner, place.tokens);
        const name = page.getByLabel('Name', { exact: true });
        // Blanks are something to a browser.
        await name.fill('   ');
        await scope(page, 'events:write').uncheck();
        await page.getByLabel('Last day, if it has one').fill('2999-12-31');
        await page.getByLabel('Oldest entry that it may send, in days').fill('7');
        await create(page);
        await expect(page.getByText('No token was created.')).toBeVisible();
        await expect(name).toHaveAttribute('aria-invalid', 'true');
        await expect(name).toHaveAccessibleDescription(/It needs a name/);
        await expect(page.getByText('Choose at least one')).toBeVisible();
        await expect(scope(page, 'events:write')).not.toBeChecked();
        await expect(page.getByLabel('Last day, if it has one')).toHaveValue('2999-12-31');
        await expect(page.getByLabel('Oldest entry that it may send, in days')).toHaveValue('7');

        await name.fill('ci');
        await scope(page, 'events:write').check();
        await create(page);
        await expect(secret(page)).toHaveText(/^dbk_/);
        await expect(token(page, 'ci')).toContainText('2999-12-31');
        await expect(page.locator('tr[data-token]')).toHaveCount(1);
      });
    });

    test.describe('without the role', () => {
      test.use({ expectedComplaints: complaints('\\b403\\b') });

      test('an auditor finds no way there, and no access', async ({ page, place }) => {
        await arrive(page, place.auditor, place.settings);
        await expect(places(page).getByRole('link')).toHaveText([
          'Audit log',
          'Catalogue',
          'Redaction',
          'Personal data',
          'Proof',
        ]);
        const answer = await page.goto(place.tokens);
        expect(answer.status()).toBe(403);
        await expect(page.getByText('It is for the owners and admins of')).toBeVisible();
        await expect(page.locator('.people')).toContainText('Olga');
        await expect(page.locator('tr[data-token]')).toHaveCount(0);
      });
    });
  });
}

test('the secret is copied by its button', async ({ page, context, place }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page, place.owner, place.tokens);
  await page.getByLabel('Name', { exact: true }).fill('ci');
  await create(page);
  await live(page);
  await page.locator('[data-copy="token-secret"]').click();
  await expect(page.locator('#said')).toHaveText('Copied');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe(await secret(page).textContent());
});
