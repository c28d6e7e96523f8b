import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { EVENT, TSignaling, TYPES, VERSION } from '../src/constants.js';
import { reference, versions } from './surface.js';

test('every name of 2.27.6 has its value', () => {
  assert.deepEqual({ ...EVENT, ...reference.EVENT }, EVENT);
  assert.deepEqual({ ...TYPES, ...reference.TYPES }, TYPES);
});

for (const [version, surface] of versions) {
  for (const [table, ours] of [['EVENT', EVENT], ['TYPES', TYPES]] as const) {
    test(`every ${table} name of ${version} is there, with its value unless 2.27.6 has another`, () => {
      for (const [name, value] of Object.entries(surface[table])) {
        // The events that 2.0.9 alone had were never documented, and are never fired.
        if (table === 'EVENT' && version === 'tim-wx-sdk@2.0.9' && !(name in reference[table])) continue;
        const expected = name in reference[table] ? reference[table][name] : value;
        assert.equal((ours as Record<string, unknown>)[name], expected, name);
      }
    });
  }
}

test('there are no names that no version has', () => {
  for (const [table, ours] of [['EVENT', EVENT], ['TYPES', TYPES]] as const) {
    const known = new Set(versions.flatMap(([, surface]) => Object.keys(surface[table])));
    assert.deepEqual(Object.keys(ours).filter((name) => !known.has(name)), []);
  }
});

test('the version is that of the package', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  assert.equal(VERSION, manifest.version);
});

test('the signalling of calls has its names, so that a program which reads one finds it', () => {
  const { NEW_INVITATION_RECEIVED, ...others } = TSignaling;
  assert.equal(NEW_INVITATION_RECEIVED, 'newInvitationReceived');
  const events = ['INVITEE_ACCEPTED', 'INVITEE_REJECTED', 'INVITATION_CANCELLED', 'INVITATION_TIMEOUT', 'INVITATION_MODIFIED'];
  const actions = ['UNKNOWN', 'INVITE', 'CANCEL_INVITE', 'ACCEPT_INVITE', 'REJECT_INVITE', 'INVITE_TIMEOUT'];
  assert.deepEqual(others, Object.fromEntries([
    ...events.map((name) => [name, `ts_${name.toLowerCase()}`]), ...actions.map((name, value) => [`ACTION_TYPE_${name}`, value]),
  ]));
});
