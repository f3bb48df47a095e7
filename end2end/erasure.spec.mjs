// What was erased says so in its place, and leads to the entry that says why.

import { expect, test } from './fixtures.mjs';
import { clickRow, entry, rows, signInLive } from './steps.mjs';

test('a row says what was erased of it, and leads to why', async ({ page, daybook, place }) => {
  const { workspace } = place;
  const token = await daybook.createToken({ workspace });
  const email = 'jane.doe@acme.example';
  const event = (name, description) => ({
    actor: { kind: 'user', id: 'usr_1', name: 'Jane Doe', email },
    action: 'MEMBER_ADDED',
    target: { kind: 'user', id: `usr_${name}`, name },
    description,
    after: { role: 'admin' },
    context: { ip: '192.0.2.7' },
  });
  const recorded = await daybook.record(token, [event('Kim', 'by phone'), event('Sam', 'by mail')]);
  const why = ['--workspace', workspace, '--reason', 'Request 4711'];
  await daybook.run(['erase', '--person', email, ...why]);
  const parts = ['objects', 'change', 'details'].flatMap((part) => ['--part', part]);
  const { id } = recorded.events[1];
  await daybook.run(['erase', '--event', id, ...parts, ...why]);

  await signInLive(page, place.owner, place.audit);
  await expect(page.getByText('Jane Doe')).toHaveCount(0);
  const kim = rows(page, 'Kim');
  await expect(kim.locator('.c-actor')).toContainText(/erased-[0-9a-f]{16}\s*erased/);
  await expect(kim.locator('.c-target')).not.toContainText('erased');
  const sam = page.locator(`tr[data-event-id="${id}"]`);
  for (const column of ['actor', 'target', 'change']) {
    await expect(sam.locator(`.c-${column} .tag`, { hasText: 'erased' })).toHaveCount(1);
  }
  await clickRow(sam);
  const told = entry(page).getByRole('heading', { name: 'Erased' }).locator('..');
  await expect(told).toContainText(
    'Erased: who did it, what it was done to, what changed and the note with key and metadata.',
  );
  await expect(entry(page)).toContainText('What was before and after was erased.');
  // Under two releases: the person's, and the event's.
  const links = told.getByRole('link', { name: 'Under which release, and why' });
  await expect(links).toHaveCount(2);
  await links.first().click();
  await expect(entry(page)).toContainText('Request 4711');
  await expect(rows(page)).toHaveCount(2);
});
