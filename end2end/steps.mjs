// What people do and see on a log, in their own words.

import { expect, live } from './fixtures.mjs';

/** Fills the sign-in form that is on screen, and sends it. */
export async function fillSignIn(page, { email, password }) {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Asks for a page, signs in where that is asked for, and is on the page. */
export async function signIn(page, person, path) {
  await page.goto(path);
  await fillSignIn(page, person);
  await expect(page.locator('main')).toBeVisible();
  await expect(page).toHaveURL(path);
}

/** The same with script: goes on when the page is live. */
export async function signInLive(page, person, path) {
  await signIn(page, person, path);
  await live(page);
}

/** Loads a page and waits until it is live. */
export async function visit(page, path) {
  await page.goto(path);
  await live(page);
}

/** The rows of the log, or those that hold each of the texts. */
export function rows(page, ...texts) {
  const all = page.locator('tr[data-event-id]');
  return texts.reduce((some, hasText) => some.filter({ hasText }), all);
}

/** The ids of the rows on screen, from the top. */
export function ids(page) {
  return rows(page).evaluateAll((all) => all.map((row) => row.dataset.eventId));
}

/** Opens or closes a row as one does: by a click on it. */
export async function clickRow(row) {
  await row.locator('.c-change').click();
}

/** Where an entry lies open. */
export function entry(page) {
  return page.locator('tr.entry');
}

/** The line of a field in the table of changes. */
export function change(page, path) {
  const head = page.getByRole('rowheader', { name: new RegExp(`: ${path}$`) });
  return entry(page).locator('.diff tbody tr').filter({ has: head });
}

/** The link of a family of actions. */
export function chip(page, name) {
  const chips = page.getByRole('navigation', { name: 'Categories' });
  return chips.getByRole('link', { name: new RegExp(`^${name}`) });
}

/** The link of a time range. */
export function range(page, name) {
  return page.getByRole('navigation', { name: 'Time range' }).getByRole('link', { name });
}

export const search = (page) => page.getByLabel('Search', { exact: true });
/** Searches as one does: what is typed is sent, and what was offered meanwhile is out of the way. */
export async function searchFor(page, text) {
  await search(page).fill(text);
  await search(page).press('Enter');
}
export const actor = (page) => page.getByLabel('Actor', { exact: true });
export const select = (page, label) => page.getByLabel(label, { exact: true });
export const older = (page) => page.locator('a[rel="next"]');
export const newer = (page) => page.locator('a[rel="prev"]');

/** The filters that hold, as the line of removable ones says them. */
export function tokens(page) {
  return page.getByRole('list', { name: 'Active filters' }).getByRole('listitem');
}

/** Takes one of them away. */
export function remove(page, filter) {
  return page.getByRole('link', { name: `Remove the filter ${filter}` });
}

/** Waits until the address asks for exactly this; a list stands for a repeated parameter. */
export async function expectAsked(page, wanted) {
  const asked = () => {
    const all = {};
    for (const [name, value] of new URL(page.url()).searchParams) {
      all[name] = name in all ? [all[name], value].flat() : value;
    }
    return all;
  };
  await expect.poll(asked).toEqual(wanted);
}

/** Chooses the dates from and until, as the fields take them. */
export async function between(page, since, until) {
  await range(page, 'Custom').click();
  await page.getByLabel('Since', { exact: true }).fill(since);
  await page.getByLabel('Until', { exact: true }).fill(until);
  await page.getByLabel('Until', { exact: true }).press('Enter');
}

/** When a row's entry occurred, so many minutes before or after, as the date fields take it. */
export async function moment(row, minutes = 0) {
  const iso = await row.locator('time').first().getAttribute('datetime');
  const time = new Date(Date.parse(iso) + minutes * 60_000);
  return time.toISOString().slice(0, 19).replace('T', ' ');
}
