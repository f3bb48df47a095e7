// The proof on screen: of an entry, in Settings, and the alarm where a log is not what was signed.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, expectAccessible, live, test } from './fixtures.mjs';
import { Daybook } from './server.mjs';
import { signIn } from './steps.mjs';

const event = {
  actor: { kind: 'user', id: 'usr_1', name: 'Ingrid Solheim' },
  action: 'MEMBER_ADDED',
  target: { kind: 'member', id: 'usr_2', name: 'Tom Okafor' },
};

const alarm = (page) => page.getByRole('region', { name: 'Something is wrong with the log' });
const proof = (page) => page.getByRole('region', { name: 'Proof' });

/** Reads until it is so. */
const until = async (page, path, seen) => {
  await expect(async () => {
    await page.goto(path);
    await expect(seen()).toBeVisible({ timeout: 500 });
  }).toPass();
};

for (const script of [true, false]) {
  test.describe(script ? 'with script' : 'without script', () => {
    // Of a proof alone on screen the browser asks for an icon, which only pages name.
    const without = '\\.wasm was preloaded using link preload but not used|status of 404';
    test.use({ javaScriptEnabled: script, expectedComplaints: new RegExp(script ? '$^' : without) });

    test('an open entry says by which checkpoint it is covered, and gives its proof', async ({
      page,
      context,
      daybook,
      place,
    }) => {
      const token = await daybook.createToken({ workspace: place.workspace });
      const { events } = await daybook.record(token, [event]);
      const [{ id }] = events;
      await signIn(page, place.owner, place.audit);
      const opened = `${place.audit}?open=${id}`;
      await until(page, opened, () => proof(page).getByText(/Included in the checkpoint of [\d,]+ entr/));
      // What axe does takes script.
      if (script) await expectAccessible(page);
      const link = proof(page).getByRole('link', { name: 'Copy the proof' });
      const given = await page.request.get(await link.getAttribute('href'));
      const inclusion = await given.json();
      expect(inclusion.header.id).toBe(id);
      expect(inclusion.checkpoint).toContain(`/${place.tenant}\n${inclusion.size}\n`);
      if (script) {
        await context.grantPermissions(['clipboard-read', 'clipboard-write']);
        await live(page);
        await link.click();
        await expect(link).toHaveAttribute('data-copied', '');
        const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
        expect(copied.header).toEqual(inclusion.header);
      } else {
        await link.click();
        await expect(page.locator('body')).toContainText(id);
      }
    });

    test('settings show the key, the newest checkpoint, witnesses and the check', async ({
      page,
      daybook,
      place,
    }) => {
      const folder = join(daybook.folder, `witness-${place.tenant}`);
      const name = `usb-${place.tenant}`;
      await daybook.run(['witness', 'add', name, '--folder', folder, '--every', '1']);
      await signIn(page, place.owner, place.settings);
      if (script) await live(page);
      await page
        .getByRole('navigation', { name: 'Settings' })
        .getByRole('link', { name: 'Proof' })
        .click();
      await expect(page).toHaveURL(new RegExp('/settings/proof'));
      const row = page.getByRole('row').filter({ hasText: name });
      await until(page, `${place.settings}/proof`, () => row.getByText(/\d+ entries/));
      await expect(row).toContainText('a folder of the server');
      await expect(row).not.toContainText(folder);
      await expect(page.getByText(new RegExp(`^daybook/.*/${place.tenant}\\+[0-9a-f]{8}\\+`))).toBeVisible();
      await expect(page.getByText(/^[0-9a-f]{64}$/)).toBeVisible();
      const shown = await page.locator('#checkpoint').textContent();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Save it as a file' }).click(),
      ]);
      const saved = await readFile(await download.path(), 'utf8');
      expect(saved.split('\n')[0]).toBe(shown.split('\n')[0]);
      expect(download.suggestedFilename()).toMatch(/^checkpoint-.*-\d+\.txt$/);
      // What axe does takes script.
      if (script) await expectAccessible(page);
      await daybook.run(['witness', 'remove', name]);
    });
  });
}

test.describe('a log that was altered', () => {
  test('is told to who manages it on every page, and to nobody else', async ({ browser }) => {
    const daybook = await Daybook.create();
    const place = { workspace: 'acme/main' };
    try {
      await daybook.createTenant('acme');
      await daybook.createWorkspace(place.workspace);
      const person = async (role, name) => {
        const email = `${name.toLowerCase()}@acme.example`;
        const somebody = { ...place, role, name, email, password: 'correct horse battery' };
        await daybook.createUser(somebody);
        return somebody;
      };
      const owner = await person('owner', 'Olga');
      const auditor = await person('auditor', 'Aud');
      const token = await daybook.createToken(place);
      await daybook.start();
      await daybook.record(token, [{ ...event, action: 'WIDGET_POLISHED' }]);
      await daybook.stop();
      // Whoever has the file needs no trigger's permission.
      const file = join(daybook.folder, 'daybook.db');
      const log = await readFile(file, 'latin1');
      expect(log).toContain('WIDGET_POLISHED');
      await writeFile(file, log.replaceAll('WIDGET_POLISHED', 'WIDGET_POLISHEX'), 'latin1');
      await daybook.start();
      const context = await browser.newContext({ baseURL: daybook.url });
      const page = await context.newPage();
      await signIn(page, owner, '/acme/main/audit');
      await until(page, '/acme/main/audit', () => alarm(page));
      await expect(alarm(page)).toContainText('The log is not what was signed.');
      await expect(alarm(page)).toContainText(/acme: entry \d+/);
      for (const path of ['objects', 'me', 'settings', 'settings/members', 'settings/proof']) {
        await page.goto(`/acme/main/${path}`);
        await expect(alarm(page)).toBeVisible();
      }
      await expect(page.getByText('Something is wrong:')).toBeVisible();
      await expectAccessible(page);
      await page.setViewportSize({ width: 360, height: 740 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide).toBeLessThanOrEqual(360);
      await context.close();
      const other = await browser.newContext({ baseURL: daybook.url, javaScriptEnabled: false });
      const theirs = await other.newPage();
      await signIn(theirs, auditor, '/acme/main/audit');
      await expect(theirs.locator('.ledger')).toBeVisible();
      await expect(alarm(theirs)).toHaveCount(0);
      // Recording goes on.
      await daybook.record(token, [event]);
      await other.close();
    } finally {
      await daybook.remove();
    }
  });
});
