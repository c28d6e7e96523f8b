/** The numbers that callers of tim-wx-sdk know, as far as the client itself has to. */

export const USER_NOT_LOGGED_IN = 2024;
export const REPEAT_LOGIN = 2025;
export const MESSAGE_SEND_FAIL = 2100;
export const MESSAGE_INVALID = 2105;
export const CONVERSATION_TYPE_INVALID = 2106;
export const MESSAGE_REVOKE_FAIL = 2110;
export const MESSAGE_DELETE_FAIL = 2111;
export const IMAGE_MISSING = 2251;
export const AUDIO_UPLOAD_FAIL = 2300;
export const VIDEO_UPLOAD_FAIL = 2350;
export const FILE_UPLOAD_FAIL = 2400;
export const FILE_MISSING = 2401;
export const FILE_URL_EMPTY = 2403;
export const CONVERSATION_INVALID_ID = 2503;
export const NETWORK_ERROR = 2800;
export const NETWORK_TIMEOUT = 2801;
export const UNCAUGHT = 2903;
export const INVALID_OPERATION = 2905;
export const SDK_NOT_READY = 2999;
export const KICKED_MULT_DEVICE = 3002;
export const KICKED_MULT_ACCOUNT = 3003;
export const USERSIG_EXPIRED = 3004;
export const LOGGED_OUT = 3005;
export const KICKED_BY_REST = 3006;
export const USERSIG_EXPIRED_ON_SERVER = 70001;
export const USERSIG_CHECK_FAILED = 70003;
export const USERSIG_INVALIDATED = 70052;
export const SEND_FAILED = 20004;
export const SERVER_FAILED = 20005;
export const TOO_MANY_REQUESTS = 60007;
export const PARAM_INVALID = 70402;
export const MESSAGE_TOO_LARGE = 80002;
/** What is above it, the app's own server has said. */
export const APP_CODES = 120000;
