// A tenant's settings: plan and workspaces, its tokens, its admins, with script and without.

import { expect, live, test as base } from './fixtures.mjs';
import { rows, signIn } from './steps.mjs';

let made = 0;

const test = base.extend({
  /** A tenant of its own with two workspaces, an admin, and a member of one of them. */
  place: async ({ daybook }, use) => {
    made += 1;
    const tenant = `whole-${made}`;
    await daybook.createTenant(tenant);
    await daybook.createWorkspace(`${tenant}/north`);
    await daybook.createWorkspace(`${tenant}/south`);
    const person = async (name, role, where) => {
      const email = `${name.toLowerCase()}@${tenant}.example`;
      const somebody = { ...where, role, name, email, password: 'correct horse battery' };
      await daybook.createUser(somebody);
      return somebody;
    };
    await use({
      tenant,
      north: `${tenant}/north`,
      admin: await person('Tina', 'tenant_admin', { tenant }),
      owner: await person('Olga', 'owner', { workspace: `${tenant}/north` }),
      audit: `/${tenant}/audit`,
      settings: `/${tenant}/settings`,
      admins: `/${tenant}/settings/admins`,
      tokens: `/${tenant}/settings/tokens`,
    });
  },
});

const event = {
  actor: { kind: 'user', id: 'usr_1', name: 'Ingrid Solheim' },
  action: 'MEMBER_ADDED',
  target: { kind: 'member', id: 'usr_2', name: 'Tom Okafor' },
};

const bar = (page) => page.getByRole('navigation', { name: 'Main' });
const places = (page) => page.getByRole('navigation', { name: 'Settings' });
const workspace = (page, slug) => page.locator(`tr[data-workspace="${slug}"]`);
const token = (page, name) => page.locator('tr[data-token]').filter({ hasText: name });
const admin = (page, person) => page.locator(`[data-admin="${person.email}"]`);
const add = (page) => page.getByRole('region', { name: 'Add an admin' });

for (const script of [true, false]) {
  test.describe(script ? 'with script' : 'without script', () => {
    const unused = script ? [] : ['\\.wasm was preloaded using link preload but not used'];
    const complaints = (...expected) => new RegExp([...unused, ...expected].join('|') || '$^');
    test.use({ javaScriptEnabled: script, expectedComplaints: complaints() });

    const arrive = async (page, person, path) => {
      await signIn(page, person, path);
      if (script) await live(page);
    };

    test('the plan and what holds in each workspace are there, one click from the log', async ({
      page,
      daybook,
      place,
    }) => {
      await daybook.run(['plan', 'set', '--tenant', place.tenant, '--min-retention', '30d']);
      const north = ['--workspace', place.north];
      await daybook.run(['settings', 'set', ...north, '--retention', '1y', '--recording', 'off']);
      await daybook.run(['hold', 'place', ...north, '--reason', 'Lawsuit']);
      await arrive(page, place.admin, place.audit);
      await bar(page).getByRole('link', { name: 'Settings' }).click();
      await expect(page).toHaveURL(place.settings);
      await expect(bar(page).locator('[aria-current="page"]')).toHaveText('Settings');
      await expect(page.getByRole('region', { name: 'Plan' })).toContainText('at least 30 days');
      await expect(workspace(page, 'north')).toContainText('1 year');
      await expect(workspace(page, 'north')).toContainText('off');
      await expect(workspace(page, 'north')).toContainText('stands');
      await expect(workspace(page, 'south')).toContainText('90 days');
      await expect(workspace(page, 'south')).toContainText('none');
      await workspace(page, 'north').getByRole('link').click();
      await expect(page).toHaveURL(`/${place.north}/settings`);
    });

    test('a token of the tenant is created, shown once, used and revoked', async ({
      page,
      daybook,
      place,
    }) => {
      await arrive(page, place.admin, place.settings);
      await places(page).getByRole('link', { name: 'API tokens' }).click();
      await expect(page).toHaveURL(place.tokens);
      await page.getByLabel('Name', { exact: true }).fill('everywhere');
      await page.getByRole('button', { name: 'Create token' }).click();
      await expect(page.locator('#token-secret')).toHaveText(/^dbk_/);
      const secret = await page.locator('#token-secret').textContent();
      expect(page.url()).not.toContain(secret);
      for (const slug of ['north', 'south']) {
        const sent = { ...event, workspace: slug };
        expect(await daybook.record(secret, sent)).toMatchObject({ recorded: 1 });
      }
      await page.reload();
      await expect(page.locator('#token-secret')).toHaveCount(0);
      await expect(token(page, 'everywhere')).toContainText('by Tina');
      await token(page, 'everywhere').getByRole('link', { name: /^Revoke/ }).click();
      await page.getByRole('button', { name: 'Revoke it' }).click();
      await expect(page.getByText('“everywhere” is revoked.')).toBeVisible();
      await expect(daybook.record(secret, event)).rejects.toThrow(/401/);
      // Its name leads to what the tenant's own log knows of it.
      const name = { name: 'everywhere', exact: true };
      await token(page, 'everywhere').getByRole('link', name).click();
      await expect(rows(page, 'API_TOKEN_CREATED', 'Tina')).toHaveCount(1);
      await expect(rows(page, 'API_TOKEN_REVOKED', 'Tina')).toHaveCount(1);
    });

    test('somebody of the tenant is made an admin, limited, and made none', async ({
      page,
      place,
    }) => {
      await arrive(page, place.admin, place.admins);
      await expect(admin(page, place.admin)).toContainText('you');
      await expect(admin(page, place.admin).getByRole('link')).toHaveCount(0);
      await add(page).getByLabel('Email').fill(place.owner.email);
      await add(page).getByRole('button', { name: 'Add', exact: true }).click();
      await expect(page.getByText('They are an admin of the tenant now.')).toBeVisible();
      await expect(admin(page, place.owner)).toContainText('no last day');

      const change = page.getByRole('link', { name: 'Change: Olga' });
      await change.click();
      await admin(page, place.owner).getByLabel('Last day of the role').fill('2999-12-31');
      await admin(page, place.owner).getByRole('button', { name: 'Save' }).click();
      await expect(page.getByText('The last day is saved.')).toBeVisible();
      await expect(admin(page, place.owner)).toContainText('until 2999-12-31');
      await change.click();
      const remove = page.getByRole('button', { name: 'Take it away' });
      await expect(remove).toBeHidden();
      await page.getByText('Take the role away…').click();
      await expect(page.getByText('Make Olga no admin of the tenant any more?')).toBeVisible();
      await remove.click();
      await expect(page.getByText('The role is taken away')).toBeVisible();
      await expect(admin(page, place.owner)).toHaveCount(0);

      await page.goto(place.audit);
      for (const action of ['MEMBER_ADDED', 'MEMBER_ROLE_UPDATED', 'MEMBER_REMOVED']) {
        await expect(rows(page, action, 'Tina', 'Olga')).toHaveCount(1);
      }
    });

    test.describe('with somebody who is not there', () => {
      test.use({ expectedComplaints: complaints('\\b400\\b') });

      test('what was typed is kept, with what to do', async ({ page, place }) => {
        await arrive(page, place.admin, place.admins);
        const email = add(page).getByLabel('Email');
        await email.fill('nobody@example.com');
        await add(page).getByRole('button', { name: 'Add', exact: true }).click();
        await expect(email).toHaveValue('nobody@example.com');
        await expect(email).toHaveAttribute('aria-invalid', 'true');
        await expect(email).toHaveAccessibleDescription(/Invite them to a workspace first/);
      });
    });

    test.describe('without the role', () => {
      test.use({ expectedComplaints: complaints('\\b403\\b') });

      test('an owner finds no access, and whom to ask', async ({ page, place }) => {
        await arrive(page, place.owner, `/${place.north}/settings/tokens`);
        for (const there of [place.settings, place.admins, place.tokens]) {
          const answer = await page.goto(there);
          expect(answer.status()).toBe(403);
          await expect(page.locator('.people')).toContainText('Tina');
        }
      });
    });
  });
}
