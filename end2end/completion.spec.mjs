// What is typed in a filter is completed by what exists in the log.

import { expect, expectAccessible, test } from './fixtures.mjs';
import { actor, expectAsked, remove, rows, search, signIn, signInLive, tokens } from './steps.mjs';

const person = (id, name) => ({
  kind: 'user',
  id,
  name,
  email: `${name.toLowerCase().replace(' ', '.')}@example.com`,
});

const rotated = (by, id, name) => ({
  actor: by,
  action: 'SECRET_ROTATED',
  target: { kind: 'secret', id, name },
});

const times = (count, event) => Array.from({ length: count }, () => event);

test.beforeEach(async ({ daybook, place }) => {
  const token = await daybook.createToken({ workspace: place.workspace });
  await daybook.record(token, [
    ...times(3, rotated(person('usr_1', 'Alex Kim'), 'sec_1', 'Salesforce key')),
    ...times(5, rotated(person('usr_2', 'Kim Berg'), 'sec_2', 'Warehouse key')),
    ...times(1, rotated(person('usr_3', 'Mara Lind'), 'sec_2', 'Warehouse key')),
    ...times(2, rotated({ kind: 'system' }, 'sec_1', 'Salesforce key')),
    {
      actor: person('usr_3', 'Mara Lind'),
      action: 'integration:update',
      target: { kind: 'integration', id: 'int_1', name: 'Salesforce' },
    },
  ]);
});

const list = (page) => page.getByRole('listbox');
const options = (page) => list(page).getByRole('option');
const option = (page, text) => options(page).filter({ hasText: text });

test('actors are offered while somebody types, most entries first, and several are chosen', async ({
  page,
  place,
}) => {
  await signInLive(page, place.owner, place.audit);
  await actor(page).pressSequentially('kim');
  await expect(options(page)).toHaveText([/Kim Berg.*5/, /Alex Kim.*3/]);
  await expect(actor(page)).toHaveAttribute('aria-expanded', 'true');
  await expectAccessible(page);
  await option(page, 'Alex Kim').click();
  await expectAsked(page, { actor_id: 'usr_1' });
  await expect(list(page)).toHaveCount(0);
  await expect(actor(page)).toHaveValue('');
  await expect(actor(page)).toBeFocused();
  await expect(rows(page)).toHaveCount(3);
  await expect(tokens(page)).toHaveText([/actor Alex Kim/]);

  await actor(page).pressSequentially('mara');
  await option(page, 'Mara Lind').click();
  await expectAsked(page, { actor_id: ['usr_1', 'usr_3'] });
  await expect(rows(page)).toHaveCount(5);
  // Who is chosen is not offered again.
  await actor(page).pressSequentially('example.com');
  await expect(options(page)).toHaveText([/Kim Berg/]);
  await expect(page).toHaveURL(/actor=example.com/);
  await actor(page).fill('');
  await expect(list(page)).toHaveCount(0);
  await expectAsked(page, { actor_id: ['usr_1', 'usr_3'] });
  await remove(page, 'actor Alex Kim').click();
  await expectAsked(page, { actor_id: 'usr_3' });
  // What was typed and taken back is no step.
  await page.goBack();
  await expectAsked(page, { actor_id: ['usr_1', 'usr_3'] });
});

test('the system is an actor to be chosen', async ({ page, place }) => {
  await signInLive(page, place.owner, place.audit);
  await actor(page).pressSequentially('syst');
  await option(page, 'system').click();
  await expectAsked(page, { actor_kind: 'system' });
  await expect(page.getByRole('checkbox', { name: 'system only' })).toBeChecked();
});

test('actions, kinds and targets are offered where one searches', async ({ page, place }) => {
  await signInLive(page, place.owner, place.audit);
  await search(page).pressSequentially('sec');
  const group = (name) => list(page).getByRole('group', { name, exact: true });
  await expect(group('Actions').getByRole('option').first()).toContainText('SECRET_ROTATED');
  await expect(group('Kinds of targets').getByRole('option')).toHaveText(['secret']);
  await expect(group('Targets').getByRole('option')).toHaveText([/Warehouse key/, /Salesforce key/]);
  await expectAccessible(page);
  await group('Targets').getByRole('option').last().click();
  await expectAsked(page, { target_kind: 'secret', target_id: 'sec_1' });
  await expect(rows(page)).toHaveCount(5);
  await search(page).pressSequentially('warehouse');
  await option(page, 'Warehouse key').click();
  await expectAsked(page, { target_kind: 'secret', target_id: ['sec_1', 'sec_2'] });
  await expect(rows(page)).toHaveCount(11);
  await search(page).pressSequentially('rotated');
  await option(page, 'SECRET_ROTATED').click();
  await expectAsked(page, {
    action: 'SECRET_ROTATED',
    target_kind: 'secret',
    target_id: ['sec_1', 'sec_2'],
  });
});

test('all of it is done by keyboard', async ({ page, place }) => {
  await signInLive(page, place.owner, place.audit);
  await actor(page).focus();
  await page.keyboard.press('ArrowDown');
  // Everybody, before anything is typed.
  await expect(option(page, 'Kim Berg')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(list(page)).toHaveCount(0);
  await page.keyboard.type('kim');
  await expect(options(page)).toHaveCount(2);
  const active = () =>
    actor(page).evaluate((field) => {
      const id = field.getAttribute('aria-activedescendant');
      return id && document.getElementById(id).textContent;
    });
  expect(await active()).toBeNull();
  await page.keyboard.press('ArrowDown');
  expect(await active()).toContain('Kim Berg');
  await page.keyboard.press('ArrowDown');
  expect(await active()).toContain('Alex Kim');
  await expect(option(page, 'Alex Kim')).toHaveAttribute('aria-selected', 'true');
  // Past the last one it is what was typed.
  await page.keyboard.press('ArrowDown');
  expect(await active()).toBeNull();
  await page.keyboard.press('ArrowUp');
  expect(await active()).toContain('Alex Kim');
  await page.keyboard.press('Enter');
  await expectAsked(page, { actor_id: 'usr_1' });
  await expect(actor(page)).toBeFocused();

  // Enter without a choice asks for what was typed, and Escape leaves what is open alone.
  await page.keyboard.type('berg');
  await expect(options(page)).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(list(page)).toHaveCount(0);
  await expectAsked(page, { actor: 'berg', actor_id: 'usr_1' });
  await page.keyboard.type(' ');
  await page.keyboard.press('Tab');
  await expect(list(page)).toHaveCount(0);
});

test('an answer that comes too late is dropped', async ({ page, place }) => {
  await signInLive(page, place.owner, place.audit);
  let release;
  const held = new Promise((go) => (release = go));
  let late;
  const isLate = new Promise((seen) => (late = seen));
  await page.route(/\/ui\/completions.*text=ki&|\/ui\/completions.*text=ki$/, async (route) => {
    late();
    await held;
    await route.continue();
  });
  await actor(page).pressSequentially('ki', { delay: 20 });
  await isLate;
  await actor(page).fill('mara');
  await expect(options(page)).toHaveText([/Mara Lind/]);
  const answered = page.waitForResponse(/\/ui\/completions.*text=ki/);
  release();
  await answered;
  await expect(options(page)).toHaveText([/Mara Lind/]);
});

test('where no answer comes the field is a plain one', async ({ page, place }) => {
  await signInLive(page, place.owner, place.audit);
  await page.route(/\/ui\/completions/, (route) => route.abort('aborted'));
  await actor(page).fill('mara');
  await expectAsked(page, { actor: 'mara' });
  await expect(rows(page)).toHaveCount(2);
  await expect(list(page)).toHaveCount(0);
  await actor(page).press('Enter');
  await expect(rows(page)).toHaveCount(2);
});

test('the answer to what was typed leaves the list open', async ({ page, place }) => {
  await signInLive(page, place.owner, place.audit);
  await actor(page).pressSequentially('kim');
  await expect(options(page)).toHaveCount(2);
  await page.keyboard.press('ArrowDown');
  await expectAsked(page, { actor: 'kim' });
  await expect(rows(page)).toHaveCount(8);
  await expect(options(page)).toHaveCount(2);
  await expect(options(page).first()).toHaveAttribute('aria-selected', 'true');
  await expect(actor(page)).toHaveAttribute('aria-expanded', 'true');
  await search(page).focus();
  await expect(list(page)).toHaveCount(0);
});

test.describe('without script', () => {
  test.use({
    javaScriptEnabled: false,
    expectedComplaints: /\.wasm was preloaded using link preload but not used/,
  });

  test('the fields are plain ones', async ({ page, place }) => {
    await signIn(page, place.owner, place.audit);
    await expect(page.getByRole('combobox', { name: 'Actor' })).toHaveCount(0);
    await actor(page).fill('kim');
    await actor(page).press('Enter');
    await expect(rows(page)).toHaveCount(8);
    await expect(list(page)).toHaveCount(0);
  });
});
