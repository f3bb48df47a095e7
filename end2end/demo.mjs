// What the tests on the demo's story start from: its database, and some of its people.

import { test as base } from './fixtures.mjs';
import { Daybook } from './server.mjs';

export const test = base.extend({
  /** A running server on a copy of the demo, one for each worker. */
  daybook: [
    async ({}, use) => {
      const daybook = await Daybook.create(process.env.DEMO_FOLDER);
      await daybook.start();
      await use(daybook);
      await daybook.remove();
    },
    { scope: 'worker' },
  ],
});

const password = 'daybook-demo';

/** Owner of Growth, admin of Revenue. */
export const ingrid = { email: 'ingrid.solheim@acme.example', password };
/** Admin of Growth. */
export const tom = { email: 'tom.okafor@acme.example', password };
/** Auditor of both. */
export const ruth = { email: 'ruth.abelson@acme.example', password };
/** Member of Growth. */
export const kim = { email: 'kim.berg@acme.example', password };
/** Member of Growth, who reads times in Oslo's zone. */
export const mara = { email: 'mara.lindqvist@acme.example', password };
/** Owner of Revenue, and nothing in Growth. */
export const helena = { email: 'helena.braga@acme.example', password };
/** Admin of the tenant. */
export const bartholomew = { email: 'bartholomew.featherstonehaugh@acme.example', password };

export const growth = '/acme/growth/audit';
export const revenue = '/acme/revenue/audit';
/** The whole tenant's Audit page. */
export const tenant = '/acme/audit';
/** What whoever is signed in did in Growth. */
export const own = '/acme/growth/me';
