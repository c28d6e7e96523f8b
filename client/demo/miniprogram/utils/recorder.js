// The microphone. WeChat has one recorder for the whole app, to whose events nobody can stop listening, so they are
// listened to here, once, for the page that records.
const LONGEST_MS = 60000;
const SHORTEST_MS = 1000;

let manager = null;
let current = null; // What is being recorded: `{done, failed, isRunning, isOver, isCancelled}`.

function listen() {
  manager = wx.getRecorderManager();
  manager.onStart(function () {
    if (!current) return;
    current.isRunning = true;
    // The finger has gone while WeChat asked whether the microphone may be used.
    if (current.isOver) manager.stop();
  });
  manager.onStop(function (result) {
    const recording = current;
    current = null;
    if (!recording || recording.isCancelled) return;
    if (result.duration < SHORTEST_MS) recording.failed('说话时间太短');
    else recording.done(result);
  });
  manager.onError(function (error) {
    const recording = current;
    current = null;
    if (recording) recording.failed(/auth|permission/.test(error.errMsg) ? '没有使用麦克风的权限' : '没有录成');
  });
}

// Begins to record, for a minute at the most. `done` gets what WeChat has recorded, `failed` why it has not.
function start(done, failed) {
  if (!manager) listen();
  if (current) return;
  current = { done: done, failed: failed, isRunning: false, isOver: false, isCancelled: false };
  manager.start({ duration: LONGEST_MS, format: 'mp3', sampleRate: 16000, numberOfChannels: 1, encodeBitRate: 48000 });
}

// Ends it. What was cancelled is told to nobody.
function stop(isCancelled) {
  if (!current) return;
  current.isOver = true;
  current.isCancelled = Boolean(isCancelled);
  if (current.isRunning) manager.stop();
}

module.exports = { start: start, stop: stop };
