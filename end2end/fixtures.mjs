// What every browser test starts from. A spec imports `test` and `expect` from here.

import AxeBuilder from '@axe-core/playwright';
import { expect, test as base } from '@playwright/test';
import { Daybook } from './server.mjs';

export { expect };

/** How many workspaces this worker made. */
let made = 0;

export const test = base.extend({
  /** A running server with an empty database, one for each worker: `daybook.run(…)` fills it. */
  daybook: [
    async ({}, use) => {
      const daybook = await Daybook.create();
      await daybook.start();
      await use(daybook);
      await daybook.remove();
    },
    { scope: 'worker' },
  ],

  baseURL: async ({ daybook }, use) => use(daybook.url),

  /** Who belongs to `place` beside its owner: `test.use({ people: { admin: 'Ada' } })`, by role. */
  people: [{}, { option: true }],

  /** A workspace of its own to which nothing was sent: Olga owns it, `place.admin` is an admin of it. */
  place: async ({ daybook, people }, use, { workerIndex }) => {
    made += 1;
    const tenant = `t-${workerIndex}-${made}`;
    const workspace = `${tenant}/main`;
    await daybook.createTenant(tenant);
    await daybook.createWorkspace(workspace);
    const place = {
      tenant,
      workspace,
      audit: `/${workspace}/audit`,
      settings: `/${workspace}/settings`,
      members: `/${workspace}/settings/members`,
      tokens: `/${workspace}/settings/tokens`,
    };
    for (const [role, name] of Object.entries({ owner: 'Olga', ...people })) {
      const email = `${name.toLowerCase()}@${tenant}.example`;
      place[role] = { workspace, role, name, email, password: 'correct horse battery' };
      await daybook.createUser(place[role]);
    }
    await use(place);
  },

  /** Complaints that a test is about: `test.use({ expectedComplaints: /403/ })`. */
  expectedComplaints: [null, { option: true }],

  /** Every test fails on any console error or warning, and on any request that failed. */
  context: async ({ context, expectedComplaints, javaScriptEnabled }, use) => {
    const complaints = [];
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        complaints.push(`console: ${message.text()}`);
      }
    });
    context.on('weberror', (error) => {
      const complaint = String(error.error());
      // The page went on before its WebAssembly was there: not a failure.
      if (complaint.includes('Response body loading was aborted')) return;
      complaints.push(complaint);
    });
    context.on('response', (answer) => {
      if (answer.status() >= 400) complaints.push(`${answer.status()} ${answer.url()}`);
    });
    context.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText;
      // The page went on before the answer came: not a failure.
      if (reason === 'net::ERR_ABORTED') return;
      // Chromium does not load scripts where they are switched off.
      if (!javaScriptEnabled && request.resourceType() === 'script') return;
      complaints.push(`${reason} ${request.url()}`);
    });
    await use(context);
    const unexpected = complaints.filter((complaint) => !expectedComplaints?.test(complaint));
    expect(unexpected).toEqual([]);
  },
});

/** Waits until the WebAssembly has taken the page over: without it much goes on working. */
export async function live(page) {
  await page.waitForSelector('html[data-live]');
}

/** Fails with what axe objects to on the page as it is now: by all its rules, or by some. */
export async function expectAccessible(page, rules = []) {
  const axe = new AxeBuilder({ page });
  const { violations } = await (rules.length > 0 ? axe.withRules(rules) : axe).analyze();
  expect(
    violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((n) => n.target) })),
  ).toEqual([]);
}
