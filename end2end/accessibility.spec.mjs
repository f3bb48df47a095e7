// Every page in every state: nothing that axe objects to, in light and dark, wide and narrow, and
// nothing wider than the screen.

import {
  bartholomew,
  growth,
  helena,
  ingrid,
  kim,
  own,
  ruth,
  tenant,
  test,
} from './demo.mjs';
import { expect, expectAccessible, live } from './fixtures.mjs';
import { clickRow, entry, fillSignIn, rows, signIn } from './steps.mjs';

test.use({ expectedComplaints: /\b(400|403|404)\b/ });
// Most of the time that the browser tests take goes by here: it is shared among the workers.
test.describe.configure({ mode: 'parallel' });

const object = '/acme/growth/objects/integration/int_rpa_invoice_7a/audit';
const blame = '/acme/growth/objects/integration/int_rpa_invoice_7a/blame';

/** Everything as long as it may be, with and without places to break it. */
const longest = (() => {
  const solid = (length) => 'x'.repeat(length);
  const words = (length) => 'which region '.repeat(length).slice(0, length).trim();
  const event = (text) => ({
    action: solid(128),
    actor: { kind: 'user', id: solid(512), name: text(512), email: `${solid(200)}@example.com` },
    via: [{ kind: 'agent', id: solid(512), name: text(512) }],
    target: { kind: solid(64), id: solid(512), name: text(512), url: `https://example.com/${solid(2000)}` },
    related: [{ kind: solid(64), id: solid(512), name: text(512) }],
    operation: solid(128),
    outcome: 'denied',
    description: text(2000),
    before: { [solid(300)]: text(400), [text(300)]: { [solid(100)]: 1 } },
    after: { [solid(300)]: text(500), [text(300)]: { [solid(100)]: 2 } },
    metadata: { [solid(300)]: text(500) },
    context: { ip: '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', user_agent: text(400), request_id: solid(300) },
  });
  return [event(solid), event(words)];
})();

const states = {
  'the Audit page with everything as long as it may be': async ({ page, daybook, empty }) => {
    const token = await daybook.createToken({ workspace: empty.workspace });
    await daybook.record(token, longest);
    await signIn(page, empty.owner, empty.audit);
    await live(page);
    await page.locator('.bundle summary').click();
    await clickRow(rows(page, 'which region').first());
    await expect(entry(page)).toBeVisible();
  },
  "an object's Audit tab where a long name stands beside a long kind": async ({
    page,
    daybook,
    empty,
  }) => {
    const token = await daybook.createToken({ workspace: empty.workspace });
    const actor = { kind: 'user', id: 'usr_1', name: 'Alex Kim' };
    const name = 'Which region does this partner belong to?';
    const target = { kind: 'clarification', id: 'clr_1', name };
    await daybook.record(token, { actor, action: 'ASKED', target });
    await signIn(page, empty.owner, `/${empty.workspace}/objects/clarification/clr_1/audit`);
    await expect(rows(page)).toHaveCount(1);
  },
  'the Audit page': async ({ page }) => {
    await signIn(page, ingrid, `${growth}?limit=20`);
    await expect(rows(page)).toHaveCount(20);
  },
  'the Audit page with a row open': async ({ page }) => {
    await signIn(page, ingrid, `${growth}?q=salesforce_client_secret&action=SECRET_ROTATED`);
    await live(page);
    await clickRow(rows(page, 'partial rotation'));
    for (const raw of await entry(page).locator('.raw').all()) {
      await raw.locator('summary').click();
      await expect(raw.locator('pre')).toBeVisible();
    }
  },
  'the Audit page with menus open': async ({ page }) => {
    await signIn(page, ingrid, `${growth}?limit=5`);
    await live(page);
    await page.locator('.zone summary').click();
    await expect(page.getByLabel('Another, by its name')).toBeVisible();
  },
  'the Audit page with the menu of exports open': async ({ page }) => {
    await signIn(page, ingrid, `${growth}?limit=5`);
    await live(page);
    await page.locator('.export-menu > summary').click();
    await expect(page.getByRole('button', { name: /^NDJSON/ })).toBeVisible();
  },
  'the Audit page after an export': async ({ page }) => {
    await signIn(page, ingrid, `${growth}?limit=5&category=secrets`);
    await live(page);
    await page.locator('.export-menu > summary').click();
    await page.getByRole('button', { name: /^CSV/ }).click();
    await expect(page.locator('#exports')).toContainText('SHA-256');
  },
  "an object's Audit tab with the menu of exports open": async ({ page }) => {
    await signIn(page, ingrid, `${object}?limit=5`);
    await live(page);
    await page.locator('.export-menu > summary').click();
    await expect(page.getByRole('button', { name: /^NDJSON/ })).toBeVisible();
  },
  'the Audit page of a workspace to which nothing was sent': async ({ page, empty }) => {
    await signIn(page, empty.owner, empty.audit);
    await expect(page.locator('#first-curl')).toBeVisible();
  },
  'the Audit page where nothing matches': async ({ page }) => {
    await signIn(page, ingrid, `${growth}?q=no+such+thing&category=secrets`);
    await expect(page.getByRole('heading', { name: 'Nothing matches' })).toBeVisible();
  },
  'the Audit page with values that are not understood': async ({ page }) => {
    await signIn(page, ingrid, `${growth}?limit=5&verb=x&since=2026-05-32&sort=y&tz=Nowhere&outcome=z`);
    await expect(page.getByRole('alert').first()).toBeVisible();
  },
  'the Audit page while recording is off and a shorter retention waits': async ({
    page,
    daybook,
    empty,
  }) => {
    const change = ['--recording', 'off', '--retention', '30d'];
    await daybook.run(['settings', 'set', '--workspace', empty.workspace, ...change]);
    await signIn(page, empty.owner, empty.audit);
    await expect(page.getByText('Recording is off.')).toBeVisible();
  },
  "an object's Audit tab": async ({ page }) => {
    await signIn(page, kim, `${object}?limit=20`);
    await expect(rows(page)).toHaveCount(20);
  },
  "an object's Blame tab with the menu of moments open": async ({ page }) => {
    await signIn(page, kim, `${blame}?removed=true`);
    await page.locator('.moments .menu summary').click();
    await expect(page.locator('tr[data-field="schedule.cron"]')).toBeVisible();
  },
  "an object's Blame tab with a field opened": async ({ page }) => {
    await signIn(page, kim, `${blame}?field=credentials`);
    await expect(page.locator('tr[data-field="credentials.username"]').first()).toBeVisible();
  },
  "an object's Blame tab with two moments compared": async ({ page }) => {
    await signIn(page, kim, `${blame}?compare=2000-01-01`);
    await expect(page.getByText('did not.')).toBeVisible();
  },
  "an object's Blame tab with everything as long as it may be, and what is not known": async ({
    page,
    daybook,
    empty,
  }) => {
    const token = await daybook.createToken({ workspace: empty.workspace });
    const target = { kind: 'service', id: 'svc_1', name: 'Checkout' };
    const [solid, words] = longest.map((event) => ({ ...event, target, outcome: 'success' }));
    const silent = { actor: solid.actor, action: 'SERVICE_MOVED', target };
    // What the second finds is not what the first left.
    const found = { ...solid, before: { ...solid.before, [Object.keys(solid.before)[0]]: 'other' } };
    await daybook.record(token, [solid, words, silent, found]);
    await signIn(page, empty.owner, `/${empty.workspace}/objects/service/svc_1/blame`);
    await expect(page.getByText('gave no state before or after')).toBeVisible();
  },
  "an object's Blame tab with a moment that is none": async ({ page }) => {
    await signIn(page, kim, `${blame}?at=soon`);
    await expect(page.locator('#b-at-error')).toBeVisible();
  },
  "an object's Blame tab where no entry names it": async ({ page }) => {
    await signIn(page, kim, '/acme/growth/objects/integration/unknown/blame');
    await expect(page.getByText('No entries yet')).toBeVisible();
  },
  "a tenant's Audit page": async ({ page }) => {
    await signIn(page, bartholomew, `${tenant}?limit=20`);
    await expect(rows(page)).toHaveCount(20);
  },
  "a tenant's Audit page with a row open and a workspace that is none": async ({ page }) => {
    await signIn(page, bartholomew, `${tenant}?limit=20&workspace=nowhere`);
    await expect(page.locator('#f-workspace-error')).toBeAttached();
    await live(page);
    await clickRow(rows(page).first());
    await expect(entry(page)).toBeVisible();
  },
  "a tenant's Audit page while recording is off in a workspace": async ({
    page,
    daybook,
    empty,
  }) => {
    const change = ['--recording', 'off', '--retention', '30d'];
    await daybook.run(['settings', 'set', '--workspace', empty.workspace, ...change]);
    const of = empty.workspace.split('/')[0];
    const email = `tina@${of}.example`;
    const admin = { tenant: of, email, name: 'Tina', role: 'tenant_admin', password: 'correct horse' };
    await daybook.createUser(admin);
    await signIn(page, admin, `/${of}/audit`);
    await expect(page.getByText('Recording is off in')).toBeVisible();
  },
  'My activity': async ({ page }) => {
    await signIn(page, kim, `${own}?limit=20`);
    await expect(rows(page).first()).toBeVisible();
  },
  'My activity with a row open': async ({ page }) => {
    await signIn(page, ingrid, `${own}?limit=20`);
    await live(page);
    await clickRow(rows(page).first());
    await expect(entry(page)).toBeVisible();
  },
  "an object's Overview": async ({ page }) => {
    await signIn(page, kim, '/acme/growth/objects/integration/int_rpa_invoice_7a');
    await expect(page.getByRole('heading', { name: 'Who touched it most' })).toBeVisible();
  },
  "an object's Overview with everything as long as it may be": async ({ page, daybook, empty }) => {
    const token = await daybook.createToken({ workspace: empty.workspace });
    await daybook.record(token, longest);
    const { kind, id } = longest[0].target;
    await signIn(page, empty.owner, `/${empty.workspace}/objects/${kind}/${id}`);
    await expect(page.getByRole('heading', { name: 'Names over time' })).toBeVisible();
  },
  "an object's Audit tab with everything as long as it may be": async ({ page, daybook, empty }) => {
    const token = await daybook.createToken({ workspace: empty.workspace });
    await daybook.record(token, longest);
    const { kind, id } = longest[0].target;
    await signIn(page, empty.owner, `/${empty.workspace}/objects/${kind}/${id}/audit`);
    await expect(rows(page)).toHaveCount(2);
  },
  'the Overview of an object that no entry names': async ({ page }) => {
    await signIn(page, kim, '/acme/growth/objects/integration/nothing');
    await expect(page.getByRole('heading', { name: 'No entries yet' })).toBeVisible();
  },
  'the list of objects': async ({ page }) => {
    await signIn(page, kim, '/acme/growth/objects');
    await expect(page.locator('.objects tbody tr')).toHaveCount(50);
  },
  'the list of objects with everything as long as it may be': async ({ page, daybook, empty }) => {
    const token = await daybook.createToken({ workspace: empty.workspace });
    await daybook.record(token, longest);
    await signIn(page, empty.owner, `/${empty.workspace}/objects`);
    await expect(page.locator('.objects tbody tr').first()).toBeVisible();
  },
  'the list of objects with its time zones open': async ({ page }) => {
    await signIn(page, kim, '/acme/growth/objects');
    await page.locator('.zone summary').click();
    await expect(page.getByLabel('Another, by its name')).toBeVisible();
  },
  'the list of objects where nothing matches': async ({ page }) => {
    await signIn(page, kim, '/acme/growth/objects?q=no+such+thing&kind=integration');
    await expect(page.getByRole('heading', { name: 'Nothing matches' })).toBeVisible();
  },
  'the list of objects with a kind that is none': async ({ page }) => {
    await signIn(page, kim, '/acme/growth/objects?kind=no+kind');
    await expect(page.getByRole('alert')).toBeVisible();
  },
  'the settings': async ({ page }) => {
    await signIn(page, ingrid, '/acme/growth/settings');
    await expect(page.getByRole('button', { name: 'Save changes' })).toBeVisible();
  },
  'the settings asking whether a shorter retention is meant': async ({ page }) => {
    await signIn(page, ingrid, '/acme/growth/settings?asks=1&retention=days&days=30');
    await expect(page.getByText('Not saved yet.')).toBeVisible();
    await expect(page.getByText('Keeping 30 days deletes')).toBeVisible();
  },
  'the settings and the Audit page while a legal hold stands, with reasons as long as they may be':
    async ({ page, daybook, empty }) => {
      const at = ['--workspace', empty.workspace, '--reason'];
      await daybook.run(['hold', 'place', ...at, 'which region '.repeat(76).trim()]);
      await daybook.run(['hold', 'lift', ...at, 'x'.repeat(1000)]);
      await daybook.run(['hold', 'place', ...at, 'y'.repeat(1000)]);
      const change = ['--retention', '30d', '--workspace', empty.workspace];
      await daybook.run(['settings', 'set', ...change]);
      await signIn(page, empty.owner, empty.audit);
      await expect(page.locator('.notice[data-hold]')).toBeVisible();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect.soft(wide).toBeLessThanOrEqual(page.viewportSize().width);
      await page.goto(`/${empty.workspace}/settings`);
      await expect(page.locator('.past-holds li')).toHaveCount(1);
    },
  'the settings with a reason for a legal hold that is missing': async ({ page, empty }) => {
    await signIn(page, empty.owner, `/${empty.workspace}/settings?hold=no-placing-reason`);
    await expect(page.locator('#h-reason-error')).toBeVisible();
  },
  'what is stored about people': async ({ page, daybook, empty }) => {
    const at = ['--workspace', empty.workspace, '--reason', 'Lawsuit'];
    await daybook.run(['hold', 'place', ...at]);
    await signIn(page, empty.owner, `/${empty.workspace}/settings/personal-data`);
    await expect(page.getByRole('heading', { name: 'Sessions' })).toBeVisible();
  },
  "a tenant's settings": async ({ page, daybook, empty }) => {
    const { tenant } = empty;
    const email = `tina@${tenant}.example`;
    const admin = { tenant, email, name: 'Tina', role: 'tenant_admin', password: 'correct horse' };
    await daybook.createUser(admin);
    await daybook.run(['workspace', 'create', `${tenant}/other`, '--name', 'x'.repeat(200)]);
    const at = ['--workspace', `${tenant}/other`];
    await daybook.run(['settings', 'set', ...at, '--recording', 'off', '--retention', '30d']);
    await daybook.run(['hold', 'place', ...at, '--reason', 'Lawsuit']);
    await signIn(page, admin, `/${tenant}/settings`);
    await expect(page.locator('tr[data-workspace]')).toHaveCount(2);
  },
  "a tenant's admins, with one open": async ({ page, daybook, empty }) => {
    const { tenant } = empty;
    const person = (name, email) => ({
      tenant,
      email: `${email}@${tenant}.example`,
      name,
      role: 'tenant_admin',
      password: 'correct horse',
    });
    const admin = person('Tina', 'tina');
    await daybook.createUser(admin);
    await daybook.createUser(person('y'.repeat(200), 'z'.repeat(150)));
    await signIn(page, admin, `/${tenant}/settings/admins`);
    await page.getByRole('link', { name: /^Change: yyy/ }).click();
    await page.getByText('Take the role away…').click();
    await expect(page.getByRole('button', { name: 'Take it away' })).toBeVisible();
  },
  "a tenant's tokens, with the secret of a new one": async ({ page, daybook, empty }) => {
    const { tenant } = empty;
    const email = `tina@${tenant}.example`;
    const admin = { tenant, email, name: 'Tina', role: 'tenant_admin', password: 'correct horse' };
    await daybook.createUser(admin);
    await signIn(page, admin, `/${tenant}/settings/tokens`);
    await page.getByLabel('Name', { exact: true }).fill('everywhere');
    await page.getByRole('button', { name: 'Create token' }).click();
    await expect(page.locator('#token-secret')).toBeVisible();
  },
  'the settings with a value that is not understood': async ({ page }) => {
    const typed = 'fault=days&retention=days&days=366&years=1';
    await signIn(page, ingrid, `/acme/growth/settings?${typed}`);
    await expect(page.getByText('It takes 1 to 365.')).toBeVisible();
  },
  'the settings with guarded kinds that are none': async ({ page }) => {
    const typed = 'fault=guarded&retention=days&days=90&object_tabs=admins&guarded=user%3B+secret';
    await signIn(page, ingrid, `/acme/growth/settings?${typed}`);
    await expect(page.getByText('“user;” is not a kind.')).toBeVisible();
  },
  'the settings as an auditor sees them': async ({ page }) => {
    await signIn(page, ruth, '/acme/growth/settings');
    await expect(page.getByText('You see these settings')).toBeVisible();
  },
  'the catalogue with names as long as they may be, and an entry that is changed': async ({
    page,
    empty: { owner, workspace },
  }) => {
    const action = 'X'.repeat(128);
    await signIn(page, owner, `/${workspace}/settings/catalogue`);
    await page.getByLabel('Action', { exact: true }).fill(action);
    await page.getByLabel('Label', { exact: true }).fill('ø'.repeat(128));
    await page.getByLabel('Category', { exact: true }).selectOption('environments_runners');
    await page.getByLabel('Verb', { exact: true }).selectOption('authenticate');
    await page.getByRole('button', { name: 'Add the entry' }).click();
    await expect(page.getByText('is added.')).toBeVisible();
    await page.locator(`tr[data-action="${action}"]`).getByRole('link', { name: /^Change/ }).click();
    await expect(page.getByRole('button', { name: 'Remove the entry' })).toBeVisible();
  },
  'the catalogue with actions that no entry names': async ({ page }) => {
    await signIn(page, ruth, '/acme/growth/settings/catalogue');
    await expect(page.locator('tr[data-unknown]').first()).toBeVisible();
  },
  'the catalogue with an entry that is not understood': async ({ page }) => {
    await signIn(page, ingrid, '/acme/growth/settings/catalogue?typed=1&action=a+b&label=');
    await expect(page.getByText('It needs a label')).toBeVisible();
  },
  'what is taken out, with names and paths as long as they may be': async ({
    page,
    empty: { owner, workspace },
  }) => {
    await signIn(page, owner, `/${workspace}/settings/redaction`);
    await page.getByLabel('Names of members').fill(`${'n'.repeat(256)}\niban`);
    await page.getByLabel('Paths', { exact: true }).fill(`after.${'p'.repeat(250)}`);
    await page.getByRole('button', { name: 'Add them' }).click();
    await expect(page.getByText('It holds for what is recorded from now on.')).toBeVisible();
    await page.getByText('Remove…').last().click();
    await expect(page.getByText(/^No longer take out after\.p/)).toBeVisible();
  },
  'what is taken out, with a path that is none': async ({ page }) => {
    await signIn(page, ingrid, '/acme/growth/settings/redaction?typed=1&paths=target.name');
    await expect(page.getByText('“target.name” is not understood')).toBeVisible();
  },
  'the members': async ({ page }) => {
    await signIn(page, ingrid, '/acme/growth/settings/members?q=berg');
    await page.getByRole('link', { name: 'Change: Kim Berg' }).click();
    await expect(page.getByRole('button', { name: 'Deactivate' })).toBeVisible();
    await page.getByText('Remove…').click();
    await expect(page.getByRole('button', { name: 'Remove them' })).toBeVisible();
  },
  'the members in a time zone that is none': async ({ page }) => {
    await signIn(page, ingrid, '/acme/growth/settings/members?tz=Nowhere');
    await expect(page.getByText('No such time zone.')).toBeVisible();
  },
  'the members with an invitation just made': async ({ page, empty }) => {
    await signIn(page, empty.owner, `/${empty.workspace}/settings/members`);
    await page.getByLabel('Email').fill(`${'x'.repeat(150)}@example.com`);
    await page.getByRole('button', { name: 'Invite', exact: true }).click();
    await expect(page.locator('#invite-link')).toBeVisible();
  },
  'the page of an invitation': async ({ page, empty }) => {
    await signIn(page, empty.owner, `/${empty.workspace}/settings/members`);
    await page.getByLabel('Email').fill('nora@example.com');
    await page.getByRole('button', { name: 'Invite', exact: true }).click();
    const link = await page.locator('#invite-link').textContent();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.goto(link);
    await expect(page.getByLabel('Your name')).toBeVisible();
  },
  'the API tokens where there are none': async ({ page, empty }) => {
    await signIn(page, empty.owner, empty.tokens);
    await expect(page.getByText('There are none.')).toBeVisible();
  },
  'the API tokens with names as long as they may be, one of which is to be revoked': async ({
    page,
    daybook,
    empty: { owner, tenant, workspace, tokens },
  }) => {
    const options = ['--expires', '2999-12-31', '--oldest', '30d'];
    const scopes = ['events:write', 'events:read', 'events:export', 'actors:write'];
    await daybook.createToken({ workspace, name: 'gone' });
    await daybook.createToken({ workspace, name: 'x'.repeat(200), scopes, options });
    await daybook.createToken({ workspace, name: 'billing '.repeat(25).trim(), options });
    const everywhere = ['--name', 'y'.repeat(200), '--scope', 'events:write'];
    await daybook.run(['token', 'create', '--tenant', tenant, ...everywhere]);
    await signIn(page, owner, tokens);
    const token = (name) => page.locator('tr[data-token]').filter({ hasText: name });
    const revoke = (name) => token(name).getByRole('link', { name: /^Revoke/ }).click();
    await revoke('gone');
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await expect(token('gone')).toContainText('revoked');
    await revoke('xxx');
    await expect(page.getByRole('group', { name: /^Revoke “xxx/ })).toBeVisible();
  },
  'the API tokens with the secret of a new one': async ({ page, empty }) => {
    await signIn(page, empty.owner, empty.tokens);
    await page.getByLabel('Name', { exact: true }).fill('ci');
    await page.getByRole('button', { name: 'Create token' }).click();
    await expect(page.locator('#token-secret')).toBeVisible();
  },
  'the API tokens with a form that is not understood': async ({ page, empty }) => {
    const typed = 'new=1&name=&expires=2001-01-01&oldest=0';
    await signIn(page, empty.owner, `${empty.tokens}?${typed}`);
    await expect(page.getByText('No token was created.')).toBeVisible();
  },
  'the sign-in page': async ({ page }) => {
    await page.goto(growth);
    await fillSignIn(page, { email: helena.email, password: 'not it' });
    await expect(page.getByText('do not belong together')).toBeVisible();
  },
  'the page without access': async ({ page }) => {
    await signIn(page, kim, growth);
    await expect(page.getByRole('heading', { name: 'not open to you' })).toBeVisible();
  },
  "the page without access to a tenant's log": async ({ page }) => {
    await signIn(page, ingrid, tenant);
    await expect(page.getByRole('heading', { name: 'not open to you' })).toBeVisible();
  },
  'the page that is not there': async ({ page }) => {
    await signIn(page, helena, growth);
    await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  },
};

for (const [state, arrive] of Object.entries(states)) {
  test(`${state} holds together in every width, light and dark`, async ({ page, daybook, place }) => {
    test.slow();
    await arrive({ page, daybook, empty: place });
    await live(page);
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
      await expectAccessible(page);
      // Only the colours are others in the dark.
      await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
      await expectAccessible(page, ['color-contrast']);
    }
    for (const width of [360, 390, 720, 1024, 1440, 2560]) {
      await page.setViewportSize({ width, height: 900 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect.soft(wide, `${width} pixels wide`).toBeLessThanOrEqual(width);
    }
  });
}

test('everything on the narrow page is reached by the filters that fold out', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, ingrid, growth);
  await live(page);
  const search = page.getByLabel('Search', { exact: true });
  await expect(search).toBeHidden();
  await page.locator('.fold > summary').click();
  await search.fill('rpa invoice bot');
  await expect(page).toHaveURL(/q=rpa\+invoice\+bot/);
  await page.getByLabel('Sort by').selectOption('Action');
  await expect(page).toHaveURL(/sort=action/);
  await expect(page.locator('.fold')).toHaveAttribute('open');
  await rows(page).first().locator('a.opener').click();
  await expect(entry(page)).toBeVisible();
});

test('menus open inside the screen, however narrow', async ({ page }) => {
  await signIn(page, ingrid, `${growth}?limit=5`);
  await live(page);
  for (const width of [360, 720, 1280, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    for (const menu of ['.zone', '.export-menu', '.chips .menu', '.switcher']) {
      await page.locator(`${menu} > summary`).click();
      const panel = page.locator(`${menu} .menu-panel`);
      await expect(panel).toBeVisible();
      const { x, width: wide } = await panel.boundingBox();
      expect.soft(x, `${menu} at ${width}, its left`).toBeGreaterThanOrEqual(0);
      expect.soft(x + wide, `${menu} at ${width}, its right`).toBeLessThanOrEqual(width);
      await page.keyboard.press('Escape');
      await expect(panel).toBeHidden();
    }
  }
});
