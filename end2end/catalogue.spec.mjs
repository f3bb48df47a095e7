// Settings → Catalogue and Settings → Redaction: what a workspace says of actions, and what it has
// taken out, with script and without.

import { expect, live, test as base } from './fixtures.mjs';
import { chip, entry, rows, select, signIn } from './steps.mjs';

let made = 0;

const test = base.extend({
  /** A workspace of its own with an owner, an auditor and a token, and a door that was opened. */
  place: async ({ daybook }, use) => {
    made += 1;
    const tenant = `names-${made}`;
    const workspace = `${tenant}/main`;
    await daybook.createTenant(tenant);
    await daybook.createWorkspace(workspace);
    const person = async (name, role) => {
      const email = `${name.toLowerCase()}@${tenant}.example`;
      const somebody = { workspace, role, name, email, password: 'correct horse battery' };
      await daybook.createUser(somebody);
      return somebody;
    };
    const token = await daybook.createToken({ workspace, name: 'door' });
    await daybook.record(token, door);
    await use({
      token,
      owner: await person('Olga', 'owner'),
      auditor: await person('Aron', 'auditor'),
      audit: `/${workspace}/audit`,
      settings: `/${workspace}/settings`,
      catalogue: `/${workspace}/settings/catalogue`,
      redaction: `/${workspace}/settings/redaction`,
    });
  },
});

const door = {
  actor: { kind: 'user', id: 'usr_1', name: 'Ingrid Solheim' },
  action: 'door:zorp',
  target: { kind: 'door', id: 'dor_1', name: 'Door Oslo' },
};

const places = (page) => page.getByRole('navigation', { name: 'Settings' });
const unknown = (page, action) => page.locator(`tr[data-unknown="${action}"]`);
const own = (page, action) => page.locator(`tr[data-action="${action}"]`);
const field = (page, name) => page.getByLabel(name, { exact: true });
const listed = (page, name) => page.getByRole('region', { name }).getByRole('listitem');

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

    test('an entry for an unknown action holds for past entries, and is taken back', async ({
      page,
      place,
    }) => {
      await arrive(page, place.owner, place.settings);
      await places(page).getByRole('link', { name: 'Catalogue' }).click();
      await expect(page).toHaveURL(place.catalogue);
      await expect(places(page).locator('[aria-current="page"]')).toHaveText('Catalogue');
      await expect(unknown(page, 'door:zorp')).toContainText('1 entry');
      await unknown(page, 'door:zorp').getByRole('link', { name: /^Add an entry/ }).click();
      await expect(field(page, 'Action')).toHaveValue('door:zorp');
      await field(page, 'Label').fill('Door opened by hand');
      await field(page, 'Category').selectOption('journeys');
      await field(page, 'Verb').selectOption('activate');
      await page.getByRole('button', { name: 'Add the entry' }).click();
      await expect(page.getByText('The entry for door:zorp is added.')).toBeVisible();
      await expect(unknown(page, 'door:zorp')).toHaveCount(0);
      await expect(own(page, 'door:zorp')).toContainText('Door opened by hand');
      await expect(own(page, 'door:zorp')).toContainText('by Olga');

      await page.goto(place.audit);
      await expect(chip(page, 'Journeys')).toBeVisible();
      await expect(rows(page, 'Door opened by hand')).toHaveCount(1);
      await page.goto(`${place.audit}?category=journeys&verb=activate`);
      await expect(rows(page)).toHaveCount(1);
      await page.goto(`${place.audit}?q=opened+by`);
      await expect(rows(page, 'door:zorp')).toHaveCount(1);
      await expect(select(page, 'Action').locator('option[value="door:zorp"]')).toContainText(
        'Door opened by hand',
      );
      await page.goto(`${place.audit}?action=AUDIT_CATALOGUE_UPDATED`);
      await expect(rows(page, 'Olga')).toHaveCount(1);

      await page.goto(place.catalogue);
      await own(page, 'door:zorp').getByRole('link', { name: /^Change/ }).click();
      await field(page, 'Label').fill('Door zorped');
      await page.getByRole('button', { name: 'Save the entry' }).click();
      await expect(page.getByText('The entry for door:zorp is changed.')).toBeVisible();
      await own(page, 'door:zorp').getByRole('link', { name: /^Change/ }).click();
      await expect(field(page, 'Label')).toHaveValue('Door zorped');
      await page.getByRole('button', { name: 'Remove the entry' }).click();
      await expect(page.getByText('The entry for door:zorp is removed.')).toBeVisible();
      await expect(unknown(page, 'door:zorp')).toHaveCount(1);
      await page.goto(`${place.audit}?category=journeys`);
      await expect(rows(page)).toHaveCount(0);
    });

    test('an auditor sees both pages and changes neither', async ({ page, place }) => {
      await arrive(page, place.auditor, place.catalogue);
      await expect(unknown(page, 'door:zorp')).toHaveCount(1);
      await expect(page.getByText('cannot change them: owners do')).toBeVisible();
      await expect(page.getByRole('button', { name: /entry/ })).toHaveCount(0);
      await expect(page.getByRole('link', { name: /^Add an entry/ })).toHaveCount(0);
      await page.goto(place.redaction);
      await expect(page.getByText('cannot change it: owners do')).toBeVisible();
      await expect(page.getByRole('button', { name: 'Add them' })).toHaveCount(0);
    });

    test('a name is added, and a value under it never reaches the log', async ({
      page,
      daybook,
      place,
    }) => {
      await arrive(page, place.owner, place.redaction);
      await field(page, 'Names of members').fill('national_id\n');
      await field(page, 'Paths').fill('metadata.cards[].number');
      await page.getByRole('button', { name: 'Add them' }).click();
      await expect(page.getByText('It holds for what is recorded from now on.')).toBeVisible();
      await expect(listed(page, 'Names that this workspace adds')).toContainText(['national_id']);
      await expect(listed(page, 'Paths that this workspace adds')).toContainText([
        'metadata.cards[].number',
      ]);

      await daybook.record(place.token, {
        ...door,
        before: { nationalId: '010190-11111', role: 'guest' },
        after: { nationalId: '020290-22222', role: 'host' },
        metadata: { cards: [{ number: '4111 1111' }] },
      });
      await page.goto(`${place.audit}?action=door:zorp`);
      const id = await rows(page).first().getAttribute('data-event-id');
      await page.goto(`${place.audit}?action=door:zorp&open=${id}`);
      await expect(entry(page)).toContainText('3 values were taken out before they were recorded');
      await expect(entry(page).locator('.diff')).toContainText('redacted, another value');
      const shown = await page.content();
      for (const value of ['010190-11111', '020290-22222', '4111 1111']) {
        expect(shown).not.toContain(value);
      }

      await page.goto(place.redaction);
      const remove = page.getByRole('button', { name: 'Remove it national_id' });
      await expect(remove).toBeHidden();
      await listed(page, 'Names that this workspace adds').getByText('Remove…').click();
      await expect(page.getByText('No longer take out national_id?')).toBeVisible();
      await remove.click();
      await expect(page.getByText('Saved.')).toBeVisible();
      await expect(listed(page, 'Names that this workspace adds')).toHaveCount(0);
    });

    test.describe('with something wrong', () => {
      test.use({ expectedComplaints: complaints('\\b400\\b') });

      test('what was typed is kept, with a message beside what is wrong', async ({
        page,
        place,
      }) => {
        await arrive(page, place.owner, place.catalogue);
        await field(page, 'Action').fill('two words');
        await field(page, 'Label').fill('Kept');
        await field(page, 'Category').selectOption('journeys');
        await field(page, 'Verb').selectOption('run');
        await page.getByRole('button', { name: 'Add the entry' }).click();
        await expect(page.getByText('Nothing was changed.')).toBeVisible();
        await expect(field(page, 'Action')).toHaveValue('two words');
        await expect(field(page, 'Action')).toHaveAccessibleDescription(/1 to 128 of/);
        await expect(field(page, 'Label')).toHaveValue('Kept');
        await expect(field(page, 'Category')).toHaveValue('journeys');
        await expect(field(page, 'Verb')).toHaveValue('run');

        await page.goto(place.redaction);
        await field(page, 'Names of members').fill('iban');
        await field(page, 'Paths').fill('target.name');
        await page.getByRole('button', { name: 'Add them' }).click();
        await expect(field(page, 'Paths')).toHaveAccessibleDescription(/begins with before, after/);
        await expect(field(page, 'Paths')).toHaveValue('target.name');
        await expect(field(page, 'Names of members')).toHaveValue('iban');
        await expect(page.getByText('As the workspace began')).toBeVisible();
      });
    });
  });
}
