/** A twin for all tests of a file, and users who are gone when a test ends. */

import { after, afterEach, before } from 'node:test';

import { startTwin, type Twin } from './twin.js';
import { User } from './user.js';

export interface Users {
  /** It runs from the first test of the file to its last. */
  readonly twin: Twin;
  /** Those of the test that runs. */
  readonly present: readonly User[];
  /** A name that no other test of the file has: `alice3`. */
  named(name: string): string;
  /** A user on a device of their own, not logged in. */
  add(user: User): User;
  /** A user who is logged in. */
  join(userID: string): Promise<User>;
  /** Another device of a user. */
  another(user: User): Promise<User>;
  /** Alice and Bob, who have never met anybody. */
  two(): Promise<[User, User]>;
}

export function withTwin(...options: string[]): Users {
  let twin: Twin;
  let count = 0;
  const present: User[] = [];
  before(async () => { twin = await startTwin(...options); });
  after(() => twin.stop());
  afterEach(() => { for (const user of present.splice(0)) user.stop(); });

  const users: Users = {
    get twin() { return twin; },
    present,
    named: (name) => `${name}${count += 1}`,
    add(user) {
      present.push(user);
      return user;
    },
    async join(userID) {
      const user = users.add(new User(twin, userID));
      await user.login();
      return user;
    },
    another: (user) => users.join(user.userID),
    two: () => Promise.all([users.join(users.named('alice')), users.join(users.named('bob'))]),
  };
  return users;
}
