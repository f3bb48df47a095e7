// Settings → Audit log, and what the Audit page says of it.

import { readFile } from 'node:fs/promises';
import { expect, live, test } from './fixtures.mjs';
import { rows, signInLive, visit } from './steps.mjs';

test.use({ people: { auditor: 'Aron', member: 'Mika' } });

const save = (page) => page.getByRole('button', { name: 'Save changes' }).click();
const saved = (page) => page.getByText('Saved.', { exact: false });
const waiting = (page) => page.getByText('A shorter retention is waiting.');
const days = (page) => page.getByLabel('Days, 1 to 365');
const years = (page) => page.getByLabel('Years, 1 to 10');

test('a shorter retention waits, everyone sees it, and an owner cancels it', async ({
  page,
  place,
}) => {
  await signInLive(page, place.owner, place.settings);
  await expect(page.locator('#r-days')).toBeChecked();
  await expect(days(page)).toHaveValue('90');
  await days(page).fill('30');
  await save(page);
  await page.locator('#r-sure').check();
  await save(page);
  await expect(saved(page)).toBeVisible();
  await expect(waiting(page)).toBeVisible();
  await expect(page.locator('.notice.warn')).toContainText('Olga');
  await expect(page.locator('.notice.warn')).toContainText('30 days');
  // What holds is what it was.
  await expect(days(page)).toHaveValue('90');

  await visit(page, place.audit);
  await expect(waiting(page)).toBeVisible();
  await expect(rows(page, 'AUDIT_RETENTION_UPDATED', 'Olga')).toHaveCount(1);

  await visit(page, place.settings);
  await page.getByRole('button', { name: 'Cancel it' }).click();
  await expect(waiting(page)).toHaveCount(0);
  await visit(page, place.audit);
  await expect(waiting(page)).toHaveCount(0);
  await expect(rows(page, 'AUDIT_RETENTION_CANCELLED', 'Olga')).toHaveCount(1);
});

test('before a shorter retention is saved, the page says what it deletes, and asks', async ({
  page,
  daybook,
  place,
}) => {
  const token = await daybook.createToken({ workspace: place.workspace });
  const old = (days) => ({
    actor: { kind: 'user', id: 'usr_1', name: 'Ingrid Solheim' },
    action: 'MEMBER_ADDED',
    target: { kind: 'member', id: `usr_${days}`, name: `Tom ${days}` },
    occurred_at: new Date(Date.now() - days * 86_400_000).toISOString(),
  });
  await daybook.record(token, [old(60), old(50), old(40), old(2)]);
  await signInLive(page, place.owner, place.settings);
  await days(page).fill('30');
  await page.getByLabel('Off', { exact: true }).check();
  await save(page);
  const warning = page.locator('#r-warning');
  await expect(page.getByText('Not saved yet.')).toBeVisible();
  await expect(warning).toContainText('Keeping 30 days deletes 3 entries');
  await expect(warning).toContainText('any owner can cancel it');
  // What was chosen is kept, and nothing is saved.
  await expect(days(page)).toHaveValue('30');
  await expect(page.getByLabel('Off', { exact: true })).toBeChecked();
  await expect(waiting(page)).toHaveCount(0);

  // They can be taken away first, all of them and no others; the page stays as it is.
  const downloading = page.waitForEvent('download');
  await warning.getByRole('button', { name: 'NDJSON' }).click();
  const file = await readFile(await (await downloading).path(), 'utf8');
  const taken = file.trimEnd().split('\n').map((line) => JSON.parse(line).target.id);
  expect(taken).toEqual(['usr_40', 'usr_50', 'usr_60']);
  await expect(days(page)).toHaveValue('30');

  // Who is sure of one is not sure of another.
  await page.getByLabel('Delete these 3 entries').check();
  await days(page).fill('50');
  await save(page);
  await expect(warning).toContainText('Keeping 50 days deletes 2 entries');
  await expect(page.getByLabel('Delete these 2 entries')).not.toBeChecked();
  await page.getByLabel('Delete these 2 entries').check();
  await save(page);
  await expect(saved(page)).toBeVisible();
  await expect(waiting(page)).toBeVisible();
  await expect(page.locator('.notice.warn')).toContainText('50 days');
  await expect(page.getByLabel('Off', { exact: true })).toBeChecked();
  await visit(page, place.audit);
  await expect(rows(page, 'AUDIT_RETENTION_UPDATED', 'Olga')).toHaveCount(1);
});

test('a longer retention holds at once', async ({ page, place }) => {
  await signInLive(page, place.owner, place.settings);
  await page.locator('#r-years').check();
  await years(page).fill('2');
  await save(page);
  await expect(saved(page)).toBeVisible();
  await expect(waiting(page)).toHaveCount(0);
  await expect(page.getByText(/Set to 2 years by Olga/)).toBeVisible();
  await visit(page, place.settings);
  await expect(page.locator('#r-years')).toBeChecked();
  await expect(years(page)).toHaveValue('2');
  await page.locator('#r-forever').check();
  await save(page);
  await expect(page.locator('.history').first()).not.toContainText('2 years');
  await visit(page, place.audit);
  await expect(rows(page, 'AUDIT_RETENTION_UPDATED', 'Olga')).toHaveCount(2);
});

test('saving what is there already changes nothing', async ({ page, place }) => {
  await signInLive(page, place.owner, place.settings);
  await save(page);
  await expect(saved(page)).toBeVisible();
  await visit(page, place.audit);
  await expect(rows(page, 'SIGNED_IN').first()).toBeVisible();
  await expect(rows(page, 'AUDIT_RETENTION_UPDATED')).toHaveCount(0);
  await expect(rows(page, 'AUDIT_RECORDING_UPDATED')).toHaveCount(0);
});

test('recording is turned off and on, and the Audit page says so', async ({
  page,
  daybook,
  place,
}) => {
  const token = await daybook.createToken({ workspace: place.workspace });
  const event = {
    actor: { kind: 'user', id: 'usr_1', name: 'Ingrid Solheim' },
    action: 'MEMBER_ADDED',
    target: { kind: 'member', id: 'usr_2', name: 'Tom Okafor' },
  };
  await signInLive(page, place.owner, place.settings);
  await page.getByLabel('Off', { exact: true }).check();
  await save(page);
  await expect(page.getByText(/Turned off by Olga/)).toBeVisible();
  expect(await daybook.record(token, [event, event])).toEqual({ recorded: 0, discarded: 2 });

  await visit(page, place.audit);
  const notice = page.locator('.notice').filter({ hasText: 'Recording is off.' });
  await expect(notice).toContainText('Olga turned it off');
  await expect(rows(page, 'AUDIT_RECORDING_UPDATED', 'Olga')).toHaveCount(1);
  await expect(rows(page, 'MEMBER_ADDED', 'Tom Okafor')).toHaveCount(0);

  await notice.getByRole('link', { name: 'Settings' }).click();
  await expect(page).toHaveURL(place.settings);
  await expect(page.getByText('2 entries were not kept since')).toBeVisible();
  await page.getByLabel('On', { exact: true }).check();
  await save(page);
  await expect(page.getByText(/Turned on by Olga/)).toBeVisible();
  await daybook.record(token, event);
  await visit(page, place.audit);
  await expect(notice).toHaveCount(0);
  await expect(rows(page, 'AUDIT_RECORDING_UPDATED', 'Olga')).toHaveCount(2);
  await expect(rows(page, 'MEMBER_ADDED', 'Tom Okafor')).toHaveCount(1);
});

test('what the operator turns off on the command line is on the page at once', async ({
  page,
  daybook,
  place,
}) => {
  await signInLive(page, place.auditor, place.audit);
  await expect(page.getByText('Recording is off.')).toHaveCount(0);
  await daybook.run(['settings', 'set', '--workspace', place.workspace, '--recording', 'off']);
  await page.reload();
  await live(page);
  await expect(page.getByText('Recording is off.')).toBeVisible();
});

test('an auditor sees the settings and cannot change them', async ({ page, place }) => {
  await signInLive(page, place.auditor, place.settings);
  await expect(page.getByText('You see these settings and cannot change them')).toBeVisible();
  await expect(days(page)).toHaveValue('90');
  await expect(days(page)).toBeDisabled();
  await expect(page.getByLabel('Off', { exact: true })).toBeDisabled();
  await expect(page.getByRole('button', { name: 'Save changes' })).toHaveCount(0);
});

test('owners say who may open objects, and see how many people that is', async ({
  page,
  place,
}) => {
  const everyone = page.getByLabel('Everyone in the workspace');
  const readers = page.getByLabel('Owners, admins and auditors', { exact: true });
  const kinds = page.getByLabel('Kinds that are always for owners, admins and auditors');
  await signInLive(page, place.owner, place.settings);
  await expect(everyone).toBeChecked();
  await expect(everyone).toHaveAccessibleDescription('3 people');
  await expect(readers).toHaveAccessibleDescription('2 people');
  await expect(kinds).toHaveValue('api_token invite secret user');
  await readers.check();
  await kinds.fill('user, secret');
  await save(page);
  await expect(saved(page)).toBeVisible();
  await expect(readers).toBeChecked();
  await expect(kinds).toHaveValue('secret user');
  await expect(page.getByText(/^Set by Olga on/)).toBeVisible();
  await visit(page, place.audit);
  await expect(rows(page, 'AUDIT_OBJECT_ACCESS_UPDATED', 'Olga')).toHaveCount(1);
});

test('the browser holds back a number that is out of bounds', async ({ page, place }) => {
  await signInLive(page, place.owner, place.settings);
  const sent = [];
  page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));
  await days(page).fill('366');
  await save(page);
  await expect(page.locator('input[name="days"]:invalid')).toHaveValue('366');
  await expect(page).toHaveURL(place.settings);
  // What the click would have sent was sent by the time that the page answers.
  await page.evaluate(() => 0);
  expect(sent).toEqual([]);
});

test.describe('with a number that the browser let through', () => {
  test.use({ expectedComplaints: /\b400\b/ });

  test('what was typed and not understood is kept, with a message beside it', async ({
    page,
    place,
  }) => {
    await signInLive(page, place.owner, place.settings);
    // The server checks for itself what the browser would have held back.
    const form = page.locator('form').filter({ has: days(page) });
    await form.evaluate((form) => (form.noValidate = true));
    await days(page).fill('366');
    await page.getByLabel('Off', { exact: true }).check();
    await save(page);
    await expect(page.getByText('It takes 1 to 365.')).toBeVisible();
    await expect(days(page)).toHaveValue('366');
    await expect(days(page)).toHaveAttribute('aria-invalid', 'true');
    await expect(days(page)).toHaveAccessibleDescription(/Not a number of days/);
    await expect(page.getByLabel('Off', { exact: true })).toBeChecked();
    await visit(page, place.audit);
    await expect(rows(page, 'AUDIT_RETENTION_UPDATED')).toHaveCount(0);
    await expect(rows(page, 'AUDIT_RECORDING_UPDATED')).toHaveCount(0);
  });
});

test.describe('with what is no kind of object', () => {
  test.use({ expectedComplaints: /\b400\b/ });

  test('the list of guarded kinds is kept as it was typed, and says what a kind is', async ({
    page,
    place,
  }) => {
    await signInLive(page, place.owner, place.settings);
    const kinds = page.getByLabel('Kinds that are always for owners, admins and auditors');
    await kinds.fill('secret; user');
    await page.getByLabel('Owners, admins and auditors', { exact: true }).check();
    await save(page);
    await expect(page.getByText('“secret;” is not a kind.')).toBeVisible();
    await expect(kinds).toHaveValue('secret; user');
    await expect(kinds).toHaveAttribute('aria-invalid', 'true');
    await expect(kinds).toHaveAccessibleDescription(/1 to 64 of A-Z a-z 0-9/);
    await expect(page.getByLabel('Owners, admins and auditors', { exact: true })).toBeChecked();
    await visit(page, place.audit);
    await expect(rows(page, 'AUDIT_OBJECT_ACCESS_UPDATED')).toHaveCount(0);
  });
});

test('a workspace to which nothing was sent shows how to send the first entry, and it works', async ({
  page,
  daybook,
  place,
}) => {
  await signInLive(page, place.owner, place.audit);
  const first = page.getByRole('region', { name: 'No entries from your applications yet' });
  await expect(first).toBeVisible();
  await expect(page.locator('#first-token')).toContainText(`--workspace ${place.workspace}`);
  const line = await page.locator('#first-curl').textContent();
  expect(line).toContain(`curl ${daybook.url}/api/v1/events`);
  const event = JSON.parse(line.match(/-d '(.*)'/s)[1]);

  const token = await daybook.createToken({ workspace: place.workspace });
  await daybook.record(token, event);
  await page.reload();
  await live(page);
  await expect(first).toHaveCount(0);
  await expect(rows(page, event.action, event.target.name)).toHaveCount(1);
  await expect(rows(page, event.target.name)).toContainText('viewer');
});
