// Settings → Members, and the link of an invitation.

import { expect, live, test } from './fixtures.mjs';
import { fillSignIn, rows, signIn, signInLive } from './steps.mjs';

test.use({ people: { member: 'Mia' } });

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

    test('a member is removed for good, and comes back by an invitation alone', async ({
      page,
      place,
      browser,
      daybook,
    }) => {
      await signIn(page, place.owner, place.members);
      await line(page, 'Mia').getByRole('link', { name: 'Change: Mia' }).click();
      const remove = page.getByRole('button', { name: 'Remove them' });
      await expect(remove).toBeHidden();
      await page.getByText('Remove…').click();
      await expect(page.getByText('Remove Mia from this workspace?')).toBeVisible();
      await remove.click();
      await expect(done(page)).toBeVisible();
      await expect(line(page, 'Mia')).toHaveCount(0);
      await page.goto(place.audit);
      await expect(rows(page, 'MEMBER_REMOVED', 'Mia')).toHaveCount(1);

      await page.goto(place.members);
      const link = await invite(page, place.member.email, 'auditor');
      const context = await browser.newContext({ javaScriptEnabled, baseURL: daybook.url });
      const guest = await context.newPage();
      // She is a member of nothing: she sees the invitation, and nothing else.
      await guest.goto('/');
      await fillSignIn(guest, place.member);
      await expect(guest.getByRole('heading', { name: 'No workspace yet' })).toBeVisible();
      await expect(guest.getByText(/Olga invites you, .* as auditor/)).toBeVisible();
      await guest.goto(link);
      await guest.getByRole('button', { name: 'Accept' }).click();
      await expect(guest).toHaveURL(place.audit);
      await context.close();
      await page.goto(place.members);
      await expect(line(page, 'Mia')).toContainText('auditor');
    });

    test('times are shown in the zone that is chosen, which is remembered', async ({ page, place }) => {
      const zone = (name) => page.locator('.zone > summary').filter({ hasText: name });
      const choose = async (name) => {
        await page.locator('.zone > summary').click();
        await page.getByLabel('Another, by its name').fill(name);
        await page.getByRole('button', { name: 'Apply' }).click();
        await expect(zone(name)).toBeVisible();
      };
      await signIn(page, place.owner, `${place.members}?q=mia`);
      await choose('Asia/Tokyo');
      await expect(page).toHaveURL(`${place.members}?q=mia&tz=Asia%2FTokyo`);
      await line(page, 'Mia').getByRole('link', { name: 'Change: Mia' }).click();
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(done(page)).toBeVisible();
      await expect(zone('Asia/Tokyo')).toBeVisible();
      for (const path of [place.tokens, place.settings, `/${place.workspace}/objects`]) {
        await page.goto(path);
        await choose('Europe/Oslo');
        await page.goto('/');
        await expect(page).toHaveURL(`${place.audit}?tz=Europe%2FOslo`);
        await page.goto(`${path}?tz=Europe%2FOslo`);
        await page.locator('.zone > summary').click();
        await page.locator('.zone').getByRole('link', { name: 'UTC' }).click();
        await expect(zone('UTC')).toBeVisible();
        await page.goto('/');
        await expect(page).toHaveURL(place.audit);
      }
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
    await signInLive(page, place.owner, `${place.members}?q=olga`);
    await page.getByRole('link', { name: 'Change: Olga' }).click();
    await expect(page.getByRole('button', { name: 'Deactivate' })).toBeDisabled();
    await line(page, 'Olga').getByLabel('Role', { exact: true }).selectOption('member');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('alert')).toContainText('last owner');
    // The part of the list that she looked for is still there, with the form open.
    await expect(page).toHaveURL(/[?&]q=olga&/);
    await expect(page.getByRole('button', { name: 'Save' })).toBeVisible();
  });
});
