// The API for business servers, of Tencent Cloud IM or of Hongyan, for the programs beside this file.

import { createHmac, randomInt } from 'node:crypto';
import { deflateSync } from 'node:zlib';

/** Some four minutes. */
const ATTEMPTS = 38;
/** Too fast, or something failed: the same may be asked again. Tencent says so with status 200. */
const PASSING = [10002, 10023, 40006, 50004, 60007, 60008, 70169, 70500, 90992, 90993, 90994, 90995, 91000];

/** What is refused, and would be again. */
export class Refused extends Error {
  constructor(command, { ErrorCode, ErrorInfo }) {
    super(`${command}: ${ErrorInfo} (${ErrorCode})`);
    this.code = ErrorCode;
  }

  /** Whether it is about the URL, the administrator or the signature, so that no other command would fare better. */
  get isAboutTheCaller() {
    return (this.code >= 60002 && this.code <= 60015) || (this.code >= 70001 && this.code <= 70100);
  }
}

/** What asks a server: it returns the answer to a command, and asks again while the server is busy or away. */
export const api = (url, { SDK_APP_ID, USERSIG_KEY, ADMINISTRATOR = 'administrator' }) => async (command, body) => {
  for (let attempt = 1; ; attempt++) {
    const usersig = userSig(ADMINISTRATOR, SDK_APP_ID, USERSIG_KEY);
    const query = new URLSearchParams({ sdkappid: SDK_APP_ID, identifier: ADMINISTRATOR, usersig, random: randomInt(2 ** 32 - 1), contenttype: 'json' });
    let why;
    try {
      const response = await fetch(`${url}/${command}?${query}`, { method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(30_000) });
      const answer = await response.json();
      if (answer.ErrorCode === 0) return answer;
      why = new Refused(command, answer);
      if (response.ok && !PASSING.includes(answer.ErrorCode)) throw why;
    } catch (error) {
      if (error === why) throw error;
      why = new Error(`${command}: ${error.message}`);
    }
    if (attempt === ATTEMPTS) throw new Error(why.message);
    await new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 100 * 2 ** attempt) * (0.5 + Math.random() / 2)));
  }
};

function userSig(userID, sdkAppID, key) {
  const time = Math.floor(Date.now() / 1000);
  const text = `TLS.identifier:${userID}\nTLS.sdkappid:${sdkAppID}\nTLS.time:${time}\nTLS.expire:3600\n`;
  const sig = {
    'TLS.ver': '2.0', 'TLS.identifier': userID, 'TLS.sdkappid': Number(sdkAppID), 'TLS.time': time, 'TLS.expire': 3600,
    'TLS.sig': createHmac('sha256', key).update(text).digest('base64'),
  };
  return deflateSync(JSON.stringify(sig)).toString('base64').replace(/\+/g, '*').replace(/\//g, '-').replace(/=/g, '_');
}
