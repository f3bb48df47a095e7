// Settings → Members, and the link of an invitation.

import { expect, live, test as base } from './fixtures.mjs';
import { rows, signIn, signInLive } from './steps.mjs';

let made = 0;

const test = base.extend({
  /** A workspace of its own with an owner and a member. */
  place: async ({ daybook }, use) => {
    made += 1;
    const tenant = `members-${made}`;
    const workspace = `${tenant}/main`;
    await daybook.createTenant(tenant);
    await daybook.createWorkspace(workspace);
    const person = (name, role) => ({
      workspace,
      role,
      name,
      email: `${name.toLowerCase()}@${tenant}.example`,
      password: 'correct horse battery',
    });
    const owner = person('Olga', 'owner');
    const mia = person('Mia', 'member');
    await daybook.createUser(owner);
    await daybook.createUser(mia);
    await use({
      tenant,
      owner,
      mia,
      audit: `/${workspace}/audit`,
      members: `/${workspace}/settings/members`,
    });
  },
});

const line = (page, name) => page.locator('.entry-line').filter({ hasText: name });
const done = (page) => page.getByText('Done. The change is an entry in the log.');

/** Invites somebody, and gives the link as the page shows it. */
async function invite(page, email, role) {
  await page.getByLabel('Email').fill(email);
  await page.locator('#i-role').selectOption(role);
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  const link = page.locator('#invite-link');
  await expect(link).toBeVisible();
  return link.textContent();
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with script' : 'without script', () => {
    test.use({
      javaScriptEnabled,
      expectedComplaints: javaScriptEnabled ? null : /\.wasm was preloaded using link preload but not used/,
    });

    test('somebody new comes in by a link that is shown once', async ({ page, place, browser, daybook }) => {
      await signIn(page, place.owner, place.members);
      const email = `nora@${place.tenant}.example`;
      const link = await invite(page, email, 'auditor');
      expect(link).toContain(`${daybook.url}/invite?key=`);
      expect(page.url()).not.toContain('key=');
      await expect(line(page, email)).toContainText('invited by Olga');
      await page.reload();
      await expect(page.locator('#invite-link')).toHaveCount(0);

      const context = await browser.newContext({ javaScriptEnabled });
      const guest = await context.newPage();
      await guest.goto(link);
      await expect(guest.getByText(`invites you, ${email}`)).toBeVisible();
      await guest.getByLabel('Your name').fill('Nora Vik');
      await guest.getByLabel('A password').fill('another battery');
      await guest.getByRole('button', { name: 'Accept' }).click();
      await expect(guest).toHaveURL(`${daybook.url}${place.audit}`);
      await expect(rows(guest, 'INVITE_ACCEPTED', 'Nora Vik')).toHaveCount(1);
      await context.close();

      await page.reload();
      await expect(line(page, 'Nora Vik')).toContainText('auditor');
      await expect(page.getByRole('heading', { name: 'Invitations' })).toHaveCount(0);
    });

    test('a member gets another role, is deactivated, and is taken back', async ({ page, place }) => {
      await signIn(page, place.owner, place.members);
      const change = () => line(page, 'Mia').getByRole('link', { name: 'Change: Mia' }).click();
      await change();
      await line(page, 'Mia').getByLabel('Role', { exact: true }).selectOption('admin');
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(done(page)).toBeVisible();
      await expect(line(page, 'Mia')).toContainText('admin');

      await change();
      await page.getByRole('button', { name: 'Deactivate' }).click();
      await expect(done(page)).toBeVisible();
      await expect(line(page, 'Mia')).toContainText('deactivated');
      await page.goto(place.audit);
      await expect(rows(page, 'MEMBER_DEACTIVATED', 'Mia')).toHaveCount(1);
      await expect(rows(page, 'MEMBER_ROLE_UPDATED', 'member', 'admin')).toHaveCount(1);

      await page.goto(place.members);
      await change();
      await page.getByRole('button', { name: 'Reactivate' }).click();
      await expect(done(page)).toBeVisible();
      await expect(line(page, 'Mia')).not.toContainText('deactivated');
    });

    test('a lost invitation is revoked', async ({ page, place }) => {
      await signIn(page, place.owner, place.members);
      const email = `lost@${place.tenant}.example`;
      const link = await invite(page, email, 'member');
      await page.getByRole('button', { name: `Revoke the invitation of ${email}` }).click();
      await expect(done(page)).toBeVisible();
      await expect(line(page, email)).toHaveCount(0);
      await page.goto(place.audit);
      await expect(rows(page, 'INVITE_REVOKED', email)).toHaveCount(1);
      const answer = await page.request.get(link);
      expect(answer.status()).toBe(404);
    });
  });
}

test.describe('with what is not understood', () => {
  test.use({ expectedComplaints: /\b400\b/ });

  test('the form keeps what was typed, with a message beside the field', async ({ page, place }) => {
    await signInLive(page, place.owner, place.members);
    await page.getByLabel('Email').fill('nora at home');
    await page.locator('#i-role').selectOption('admin');
    await page.getByRole('button', { name: 'Invite', exact: true }).click();
    await live(page);
    await expect(page.getByText('Not an email address')).toBeVisible();
    await expect(page.getByText('Not an email address')).toBeInViewport();
    await expect(page.getByLabel('Email')).toHaveValue('nora at home');
    await expect(page.locator('#i-role')).toHaveValue('admin');
  });

  test('the last owner stays', async ({ page, place }) => {
    await signInLive(page, place.owner, place.members);
    await page.getByRole('link', { name: 'Change: Olga' }).click();
    await expect(page.getByRole('button', { name: 'Deactivate' })).toBeDisabled();
    await line(page, 'Olga').getByLabel('Role', { exact: true }).selectOption('member');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('alert')).toContainText('last owner');
  });
});
