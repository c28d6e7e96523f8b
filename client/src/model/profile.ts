import type { Profile } from '../types.js';
import type { WireProfile } from '../wire.js';

/** A profile with everything that its owner has not set. */
export function profileOf(wire: Partial<WireProfile> & { userID: string }): Profile {
  return {
    nick: '', avatar: '', gender: 'Gender_Type_Unknown', birthday: 0, location: '', selfSignature: '',
    allowType: 'AllowType_Type_AllowAny', language: 0, messageSettings: 0, adminForbidType: 'AdminForbid_Type_None',
    level: 0, role: 0, lastUpdatedTime: 0, profileCustomField: [], ...wire,
  };
}
