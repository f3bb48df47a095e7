// Legal holds: placed and lifted in Settings, shown on the Audit page, with script and without; and
// what is stored about people.

import { expect, live, test as base } from './fixtures.mjs';
import { rows, signIn } from './steps.mjs';

let made = 0;

const test = base.extend({
  /** A workspace of its own with an owner, an auditor and a member, and an admin of its tenant. */
  place: async ({ daybook }, use) => {
    made += 1;
    const tenant = `holds-${made}`;
    const workspace = `${tenant}/main`;
    await daybook.createTenant(tenant);
    await daybook.createWorkspace(workspace);
    const person = async (name, role, where) => {
      const email = `${name.toLowerCase()}@${tenant}.example`;
      const somebody = { ...where, role, name, email, password: 'correct horse battery' };
      await daybook.createUser(somebody);
      return somebody;
    };
    await use({
      tenant,
      workspace,
      owner: await person('Olga', 'owner', { workspace }),
      auditor: await person('Aron', 'auditor', { workspace }),
      member: await person('Mika', 'member', { workspace }),
      admin: await person('Tina', 'tenant_admin', { tenant }),
      audit: `/${workspace}/audit`,
      own: `/${workspace}/me`,
      settings: `/${workspace}/settings`,
      people: `/${workspace}/settings/personal-data`,
    });
  },
});

const section = (page) => page.getByRole('region', { name: 'Legal hold' });
const standing = (page) => page.locator('.notice[data-hold]');
const placing = (page) => page.getByLabel('Why it is placed');
const lifting = (page) => page.getByLabel('Why it is lifted');
const place = (page) => page.getByRole('button', { name: 'Place a legal hold' }).click();
const lift = (page) => page.getByRole('button', { name: 'Lift the legal hold' }).click();

for (const script of [true, false]) {
  test.describe(script ? 'with script' : 'without script', () => {
    const unused = script ? [] : ['\\.wasm was preloaded using link preload but not used'];
    const complaints = (...expected) => new RegExp([...unused, ...expected].join('|') || '$^');
    test.use({ javaScriptEnabled: script, expectedComplaints: complaints() });

    const arrive = async (page, person, path) => {
      await signIn(page, person, path);
      if (script) await live(page);
    };

    test('an owner places a hold, everybody who reads the log sees it, and an owner lifts it', async ({
      page,
      place: where,
    }) => {
      await arrive(page, where.owner, where.settings);
      await expect(section(page)).toContainText('No legal hold stands.');
      await placing(page).fill('Lawsuit with Initech,\nmatter 2026-17');
      await place(page);
      await expect(section(page).getByRole('status')).toContainText('From now on nothing is deleted.');
      await expect(standing(page)).toContainText('Olga placed it on');
      await expect(standing(page)).toContainText('“Lawsuit with Initech, matter 2026-17”');
      await expect(placing(page)).toHaveCount(0);

      await page.goto(where.audit);
      await expect(standing(page)).toContainText('A legal hold stands. Olga placed it on');
      await expect(standing(page)).toContainText('“Lawsuit with Initech, matter 2026-17”');
      await expect(standing(page).locator('time')).toHaveText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
      await expect(rows(page, 'AUDIT_HOLD_PLACED', 'Olga')).toHaveCount(1);

      // Settings are one click from there.
      await standing(page).getByRole('link', { name: 'Settings' }).click();
      await lifting(page).fill('Settled');
      await lift(page);
      await expect(section(page).getByRole('status')).toContainText('The legal hold is lifted.');
      await expect(standing(page)).toHaveCount(0);
      await expect(section(page).locator('.past-holds li')).toHaveCount(1);
      await expect(section(page).locator('.past-holds')).toContainText('Olga lifted it on');
      await expect(section(page).locator('.past-holds')).toContainText('“Settled”');
      await page.goto(where.audit);
      await expect(standing(page)).toHaveCount(0);
      await expect(rows(page, 'AUDIT_HOLD_LIFTED', 'Olga')).toHaveCount(1);
    });

    test('the tenant’s page names the workspace; who may be meant is told nothing', async ({
      page,
      daybook,
      place: where,
    }) => {
      const line = ['--workspace', where.workspace, '--reason', 'Investigation'];
      await daybook.run(['hold', 'place', ...line]);
      await arrive(page, where.admin, `/${where.tenant}/audit`);
      await expect(standing(page)).toContainText('A legal hold stands in main. system placed it on');
      await expect(standing(page)).toContainText('“Investigation”');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await arrive(page, where.member, where.own);
      await expect(standing(page)).toHaveCount(0);
      await expect(page.locator('main')).not.toContainText('Investigation');
    });

    test('while a hold stands a waiting retention deletes nothing, and says so', async ({
      page,
      daybook,
      place: where,
    }) => {
      const at = ['--workspace', where.workspace];
      await daybook.run(['hold', 'place', ...at, '--reason', 'Lawsuit']);
      await daybook.run(['settings', 'set', ...at, '--retention', '30d']);
      await arrive(page, where.auditor, where.audit);
      const waiting = page.locator('.notice').filter({ hasText: 'A shorter retention is waiting.' });
      await expect(waiting).toContainText('nothing is deleted while the legal hold stands');
      await page.goto(where.settings);
      await expect(waiting).toContainText('nothing is deleted while the legal hold below stands');
      await expect(section(page).getByRole('button')).toHaveCount(0);
    });

    test('a hold that somebody placed meanwhile is not placed twice', async ({
      page,
      daybook,
      place: where,
    }) => {
      await arrive(page, where.owner, where.settings);
      await placing(page).fill('mine');
      await daybook.run(['hold', 'place', '--workspace', where.workspace, '--reason', 'theirs']);
      await place(page);
      await expect(page.getByRole('alert')).toContainText('A legal hold stands already');
      await expect(page.getByRole('alert')).toContainText('You had written: “mine”');
      await expect(standing(page)).toContainText('“theirs”');
    });

    test.describe('with no reason', () => {
      test.use({ expectedComplaints: complaints('\\b400\\b') });

      test('nothing is changed, with a message beside the field', async ({ page, place: where }) => {
        await arrive(page, where.owner, where.settings);
        // Blanks are something to a browser.
        await placing(page).fill('   ');
        await place(page);
        await expect(placing(page)).toHaveAttribute('aria-invalid', 'true');
        await expect(placing(page)).toHaveAccessibleDescription(/A reason is needed/);
        await expect(section(page)).toContainText('No legal hold stands.');
        await placing(page).fill('Lawsuit');
        await place(page);
        await expect(standing(page)).toContainText('“Lawsuit”');
      });
    });

    test('what is stored about people is in words, from what holds now', async ({
      page,
      daybook,
      place: where,
    }) => {
      await arrive(page, where.auditor, where.settings);
      const places = page.getByRole('navigation', { name: 'Settings' });
      await places.getByRole('link', { name: 'Personal data' }).click();
      await expect(page).toHaveURL(where.people);
      await expect(page.getByRole('region', { name: 'How long entries are kept' })).toContainText(
        'keeps entries for 90 days',
      );
      for (const name of ['Accounts and roles', 'Sessions', 'Failed sign-ins', 'Invitations']) {
        const part = page.getByRole('region', { name });
        await expect(part.getByText('How long')).toBeVisible();
      }
      const at = ['--workspace', where.workspace];
      await daybook.run(['settings', 'set', ...at, '--retention', '2y']);
      await daybook.run(['hold', 'place', ...at, '--reason', 'Lawsuit']);
      await page.reload();
      await expect(page.locator('main')).toContainText('keeps entries for 2 years');
      await expect(page.locator('main')).toContainText('A legal hold stands since');
      // On paper it is the text alone.
      await page.emulateMedia({ media: 'print' });
      await expect(places).toBeHidden();
      await expect(page.getByRole('region', { name: 'Sessions' })).toBeVisible();
    });
  });
}
