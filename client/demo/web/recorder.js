// Records a voice with the microphone of the device.

const LONGEST_MS = 60_000;
// What all players know comes first. Not every browser can write it.
const FORMATS = [['audio/mp4;codecs=mp4a.40.2', 'm4a'], ['audio/webm;codecs=opus', 'webm'], ['audio/ogg;codecs=opus', 'ogg']];

const formatOf = () => FORMATS.find(([mime]) => MediaRecorder.isTypeSupported(mime));

/** Whether this browser lets this page record: it has to be from this machine, or come over https. */
export const canRecord = () => Boolean(navigator.mediaDevices && window.MediaRecorder && formatOf());

/**
 * Begins to record once the user has allowed it, and throws what the browser throws when they have not. After a minute it
 * stops by itself. Returns `stop`, `cancel`, and `file`: a promise of the recording, with its `duration` in milliseconds,
 * or of null when it was cancelled.
 */
export async function record() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const [mime, extension] = formatOf();
  const recorder = new MediaRecorder(stream, { mimeType: mime });
  const chunks = [];
  const started = performance.now();
  let isCancelled = false;
  const stop = () => {
    if (recorder.state !== 'inactive') recorder.stop();
  };
  const timer = setTimeout(stop, LONGEST_MS);
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  const file = new Promise((resolve) => {
    // It also stops when the microphone goes.
    recorder.onstop = () => {
      clearTimeout(timer);
      for (const track of stream.getTracks()) track.stop();
      const duration = Math.min(LONGEST_MS, Math.round(performance.now() - started));
      const made = new File(chunks, 'voice.' + extension, { type: mime.split(';')[0] });
      resolve(isCancelled ? null : Object.assign(made, { duration }));
    };
  });
  recorder.start();
  return {
    stop,
    cancel() {
      isCancelled = true;
      stop();
    },
    file,
  };
}
