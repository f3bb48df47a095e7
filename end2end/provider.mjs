// An OpenID Connect provider that is not ours, on a free port, with people who sign in by a click.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSocket } from 'node:net';
import Provider from 'oidc-provider';

export const client = { id: 'daybook', secret: 'a secret of the tests' };

/** A port that nobody listens on now. */
export async function freePort() {
  const socket = createSocket().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/**
 * A provider. `people` are its accounts by their id, with the claims that it tells of them: they may
 * change while it runs. It names itself `localhost`, so that it is another site than Daybook.
 */
export class SignOnProvider {
  #server = null;

  /** One that sends people back to a Daybook at `home`. */
  static async create(home) {
    const provider = new SignOnProvider();
    provider.home = home;
    provider.port = await freePort();
    provider.issuer = `http://localhost:${provider.port}`;
    provider.people = {};
    return provider;
  }

  /** Starts it, with new keys and nobody signed in. */
  async start() {
    const provider = this.#provider();
    const answer = provider.callback();
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url, this.issuer);
      if (!pathname.startsWith('/interaction/')) return answer(request, response);
      this.#interact(provider, pathname, request, response).catch((error) => {
        response.statusCode = 500;
        response.end(String(error));
      });
    });
    server.listen(this.port, 'localhost');
    await once(server, 'listening');
    this.#server = server;
  }

  async stop() {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  #provider() {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
    const provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: client.id,
          client_secret: client.secret,
          redirect_uris: [`${this.home}/login/oidc/callback`],
          response_types: ['code'],
          grant_types: ['authorization_code'],
        },
      ],
      jwks: { keys: [key] },
      ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      cookies: { keys: [randomUUID()] },
      pkce: { required: () => true },
      claims: {
        openid: ['sub'],
        email: ['email', 'email_verified'],
        profile: ['name'],
        groups: ['groups'],
      },
      findAccount: (context, id) => ({
        accountId: id,
        claims: () => ({ sub: id, ...this.people[id] }),
      }),
      // Whoever signs in has agreed that Daybook is told who they are.
      loadExistingGrant: async (context) => {
        const { client, session, params } = context.oidc;
        const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
        grant.addOIDCScope(params.scope);
        await grant.save();
        return grant;
      },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (context, { uid }) => `/interaction/${uid}` },
    });
    return provider;
  }

  /** The page on which somebody says who they are, and what it leads to. */
  async #interact(provider, pathname, request, response) {
    const [, , , choice] = pathname.split('/');
    if (choice === 'cancel') {
      const result = { error: 'access_denied', error_description: 'Somebody changed their mind' };
      return provider.interactionFinished(request, response, result);
    }
    if (choice) {
      const result = { login: { accountId: decodeURIComponent(choice) } };
      return provider.interactionFinished(request, response, result);
    }
    const link = (to, words) => `<li><a href="${pathname}/${encodeURIComponent(to)}">${words}</a></li>`;
    const people = Object.entries(this.people).map(([id, { name }]) => link(id, `I am ${name}`));
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(
      `<!DOCTYPE html><html lang="en"><link rel="icon" href="data:,"><title>Provider</title>
       <h1>Who are you?</h1><ul>${people.join('')}${link('cancel', 'Nobody')}</ul></html>`,
    );
  }
}
