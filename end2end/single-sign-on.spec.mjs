// Signing in at an OpenID Connect provider that is not ours, on the way of somebody's own browser.

import { expect, test as base } from './fixtures.mjs';
import { client, freePort, SignOnProvider } from './provider.mjs';
import { Daybook } from './server.mjs';
import { fillSignIn, rows, signIn } from './steps.mjs';

const growth = 'acme/growth';
const audit = `/${growth}/audit`;
const members = `/${growth}/settings/members`;

const owner = {
  workspace: growth,
  role: 'owner',
  name: 'Olga Ek',
  email: 'olga@acme.example',
  password: 'correct horse battery',
};

const test = base.extend({
  /** What groups give, and whether passwords sign in. */
  given: ['*=acme/growth:auditor,ops=acme/growth:admin,money=acme/revenue:auditor', { option: true }],
  passwords: ['on', { option: true }],

  /** A provider that knows Nora. */
  provider: async ({}, use) => {
    const home = `http://127.0.0.1:${await freePort()}`;
    const provider = await SignOnProvider.create(home);
    provider.people.nora = { name: 'Nora Vik', email: 'nora@acme.example', email_verified: true };
    await provider.start();
    await use(provider);
    await provider.stop();
  },

  /** A Daybook that sends people there, with an owner of Growth. */
  place: async ({ provider, given, passwords }, use) => {
    const daybook = await Daybook.create();
    await daybook.createTenant('acme');
    await daybook.createWorkspace(growth);
    await daybook.createWorkspace('acme/revenue');
    await daybook.createUser(owner);
    daybook.listen = new URL(provider.home).host;
    daybook.variables = {
      DAYBOOK_PUBLIC_URL: provider.home,
      DAYBOOK_OIDC_ISSUER: provider.issuer,
      DAYBOOK_OIDC_CLIENT_ID: client.id,
      DAYBOOK_OIDC_CLIENT_SECRET: client.secret,
      DAYBOOK_OIDC_ROLES: given,
      DAYBOOK_PASSWORDS: passwords,
    };
    await daybook.start();
    await use(daybook);
    await daybook.remove();
  },

  baseURL: async ({ place }, use) => use(place.url),
});

const button = (page) => page.getByRole('link', { name: 'Sign in with your organization' });

/** Goes to the provider from the page that signs in, and is who it is there. */
async function signOn(page, name = 'Nora Vik') {
  await button(page).click();
  const choice = page.getByRole('link', { name: `I am ${name}` });
  // Who said it before is not asked again.
  await choice.or(page.locator('main')).first().waitFor();
  if (await choice.isVisible()) await choice.click();
}

async function signOut(page) {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL('/login');
}

/** What a browser without script complains of. */
const unused = /\.wasm was preloaded using link preload but not used/;

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with script' : 'without script', () => {
    test.use({ javaScriptEnabled, expectedComplaints: javaScriptEnabled ? null : unused });

    test('somebody new comes back as what everybody is, to where they were', async ({ page, provider }) => {
      const asked = `${audit}?action=MEMBERSHIP_DEFAULTED&action=SIGNED_IN`;
      await page.goto(asked);
      await expect(page.getByLabel('Password')).toBeVisible();
      await expect(page.getByText(new URL(provider.issuer).hostname)).toBeVisible();
      await signOn(page);
      await expect(page).toHaveURL(asked);
      await expect(rows(page, 'MEMBERSHIP_DEFAULTED', 'Single sign-on', 'Nora Vik')).toHaveCount(1);
      await expect(rows(page, 'SIGNED_IN', 'Nora Vik')).toHaveCount(1);
      // It was a session of Daybook's, which ends here; the provider's goes on.
      await signOut(page);
      await page.goto(audit);
      await expect(page).toHaveURL(/\/login\?next=/);
      await button(page).click();
      await expect(page).toHaveURL(audit);
    });
  });
}

test('what groups give follows them at every sign-in', async ({ page, provider, browser, place }) => {
  const again = async (groups) => {
    provider.people.nora.groups = groups;
    await page.goto('/login');
    await signOn(page);
    await expect(page).toHaveURL(new RegExp(audit));
  };
  await again(['ops', 'money', 'choir']);
  await page.goto(members);
  await expect(page.locator('.entry-line').filter({ hasText: 'Nora Vik' })).toContainText('admin');
  await page.goto('/acme/revenue/audit');
  await expect(rows(page, 'MEMBER_ADDED', 'Nora Vik')).toHaveCount(1);

  await again([]);
  const answers = [members, '/acme/revenue/audit'].map((path) => page.request.get(path));
  expect((await Promise.all(answers)).map((answer) => answer.status())).toEqual([403, 404]);
  await expect(rows(page, 'MEMBER_ROLE_UPDATED', 'Nora Vik')).toHaveCount(1);

  await again(['money']);
  expect((await page.request.get('/acme/revenue/audit')).status()).toBe(200);

  await place.createUser({ ...owner, workspace: 'acme/revenue', email: 'o2@acme.example', name: 'Odd' });
  const context = await browser.newContext({ baseURL: place.url });
  const other = await context.newPage();
  await signIn(other, { ...owner, email: 'o2@acme.example' }, '/acme/revenue/audit');
  for (const action of ['MEMBER_ADDED', 'MEMBER_DEACTIVATED', 'MEMBER_REACTIVATED']) {
    await expect(rows(other, action, 'Nora Vik')).toHaveCount(1);
  }
  await rows(other, 'MEMBER_DEACTIVATED').locator('.c-change').click();
  await expect(other.locator('tr.entry')).toContainText('money');
  await context.close();
});

test('who has an account keeps it, with its password', async ({ page, provider }) => {
  provider.people.olga = { name: 'Olga Ek', email: owner.email, email_verified: true };
  await page.goto(members);
  await signOn(page, 'Olga Ek');
  await expect(page).toHaveURL(members);
  const line = page.locator('.entry-line').filter({ hasText: 'Olga Ek' });
  await expect(line).toHaveCount(1);
  await expect(line).toContainText('owner');
  await signOut(page);
  await fillSignIn(page, owner);
  await expect(page).toHaveURL(new RegExp(audit));
});

test('who gives up at the provider is back at the page that signs in', async ({ page }) => {
  await page.goto(audit);
  await button(page).click();
  await page.getByRole('link', { name: 'Nobody' }).click();
  await expect(page).toHaveURL(/\/login\?error=cancelled&next=/);
  await expect(page.getByRole('alert')).toContainText('did not finish');
  await signOn(page);
  await expect(page).toHaveURL(audit);
});

test('an answer of the provider is good once, in the browser that asked', async ({ page, provider, browser, place }) => {
  const callback = '/login/oidc/callback';
  let answer;
  page.on('request', (request) => {
    if (request.url().includes(`${callback}?`)) answer = request.url();
  });
  await page.goto(audit);
  await signOn(page);
  await expect(page).toHaveURL(audit);
  expect(answer).toContain('code=');
  const context = await browser.newContext({ baseURL: place.url });
  const begin = async () => {
    const begun = await context.request.get('/login/oidc', { maxRedirects: 0 });
    expect(begun.status()).toBe(303);
    const there = new URL(begun.headers().location);
    expect(there.origin).toBe(provider.issuer);
    expect(there.searchParams.get('code_challenge_method')).toBe('S256');
    expect(begun.headers()['set-cookie']).toMatch(/HttpOnly; SameSite=Lax;.* Max-Age=600/);
    return there.searchParams.get('state');
  };
  const refused = async (jar, address) => {
    const said = await jar.get(address, { maxRedirects: 0 });
    expect(said.status()).toBe(400);
    expect(said.headers()['set-cookie'] ?? '').not.toContain('daybook_session');
    expect(await said.text()).toContain('sign in once more');
  };
  // Browsers drop a cookie of more than 4 KiB: what is too long for it leads to the start page.
  const long = await context.request.get(`/login/oidc?next=/${'a'.repeat(4000)}`, { maxRedirects: 0 });
  expect(long.headers()['set-cookie'].length).toBeLessThan(4096);
  await context.clearCookies();
  // Once more in the same browser, and in another that never asked.
  await refused(page.request, answer);
  await refused(context.request, answer);
  // In another that asked something else; with its own state, but another's code.
  const state = await begin();
  await refused(context.request, answer);
  const other = new URL(answer);
  other.searchParams.set('state', state);
  await refused(context.request, other.href);
  // And the cookie that brought it is gone with it.
  await refused(context.request, other.href);
  await context.close();
});

test.describe('whom Daybook does not let in', () => {
  test.use({ expectedComplaints: /\b403\b/ });

  test('an address that the provider did not verify', async ({ page, provider }) => {
    provider.people.eve = { name: 'Eve', email: owner.email, email_verified: false };
    await page.goto(audit);
    await signOn(page, 'Eve');
    await expect(page.getByText('has not verified that your e-mail address is yours')).toBeVisible();
    expect((await page.request.get(audit, { maxRedirects: 0 })).status()).toBe(303);
  });

  test.describe('without a default', () => {
    test.use({ given: 'ops=acme/growth:admin' });

    test('who is in no group is told whom to ask', async ({ page, provider }) => {
      await page.goto(audit);
      await signOn(page);
      await expect(page.getByText('Ask an admin of the workspace')).toBeVisible();
      provider.people.nora.groups = ['ops'];
      await page.getByRole('link', { name: 'Back to Daybook' }).click();
      await button(page).click();
      await expect(page).toHaveURL(new RegExp(audit));
    });
  });
});

test.describe('with passwords off', () => {
  test.use({ passwords: 'off', given: 'ops=acme/growth:admin' });

  test('the provider is the only way in, for who is invited too', async ({ page, provider, place, browser }) => {
    provider.people.olga = { name: 'Olga Ek', email: owner.email, email_verified: true };
    await page.goto(members);
    await expect(page.getByLabel('Password')).toHaveCount(0);
    const { email, password } = owner;
    const answer = await page.request.post('/login', { form: { email, password }, maxRedirects: 0 });
    expect(answer.status()).toBe(403);
    expect(await answer.text()).toContain('Passwords are switched off');
    await signOn(page, 'Olga Ek');
    await expect(page).toHaveURL(members);

    await page.getByLabel('Email').fill('nora@acme.example');
    await page.locator('#i-role').selectOption('auditor');
    await page.getByRole('button', { name: 'Invite', exact: true }).click();
    const link = await page.locator('#invite-link').textContent();

    const context = await browser.newContext({ baseURL: place.url });
    const guest = await context.newPage();
    await guest.goto(link);
    await expect(guest.getByText('invites you, nora@acme.example')).toBeVisible();
    await expect(guest.getByLabel('A password')).toHaveCount(0);
    await guest.getByRole('link', { name: 'Accept with your organization' }).click();
    await guest.getByRole('link', { name: 'I am Nora Vik' }).click();
    await expect(guest).toHaveURL(new RegExp(audit));
    await expect(rows(guest, 'INVITE_ACCEPTED', 'Nora Vik')).toHaveCount(1);
    await context.close();
  });
});

test.describe('while the provider is down', () => {
  test.use({ expectedComplaints: /\b503\b/ });

  test('Daybook starts, says so, and goes on when it is back with other keys', async ({ page, provider, place }) => {
    await provider.stop();
    await place.stop();
    await place.start();
    await page.goto(audit);
    await button(page).click();
    await expect(page.getByText('The sign-on provider does not answer')).toBeVisible();
    await expect(page.getByText('DAYBOOK_PASSWORDS=on')).toBeVisible();
    await provider.start();
    await page.goto(audit);
    await signOn(page);
    await expect(page).toHaveURL(audit);
    await signOut(page);
    // Another start, other keys: what Daybook remembers of it is not true any more.
    await provider.stop();
    await provider.start();
    await page.goto(audit);
    await signOn(page);
    await expect(page).toHaveURL(audit);
  });
});
