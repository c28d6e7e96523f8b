// Pictures, voice, videos and files: how they stand in the list of messages, and large. Nothing of them is loaded but
// the pictures before somebody asks for it.

import { boxOf, clockText, sizeText, splitName } from './display.js';
import { $, icon, make, makeButton, setText } from './dom.js';
import { t } from './language.js';
import { toast } from './overlay.js';

// ---------------------------------------------------------------------------------------------
// In the list

// What a builder returns shows a description of the message again and again: `media` changes when a file that was on
// the device has arrived.
const BUILDERS = { picture: makePicture, voice: makeVoice, video: makeVideo, file: makeFile };

/** Shows a picture, a voice, a video or a file in the bubble of its message. `uploaded` is how much has gone up: 1 when it is done. */
export function showMedia(bubble, media, uploaded) {
  if (!bubble.media) {
    bubble.media = { show: BUILDERS[media.kind](bubble), progress: make('progress', 'uploaded', 'progress') };
    bubble.classList.add('media', media.kind);
    bubble.append(bubble.media.progress);
  }
  bubble.media.progress.setAttribute('aria-label', t('uploading'));
  bubble.media.show(media);
  showProgress(bubble, uploaded);
}

/** Shows how much of the file in a bubble has gone up. */
export function showProgress(bubble, uploaded) {
  if (!bubble.media) return;
  bubble.media.progress.value = uploaded;
  bubble.media.progress.hidden = uploaded === 1;
}

// A picture that has a box before it is there moves nothing when it comes.
function frame(image, width, height) {
  const [boxWidth, boxHeight] = boxOf(width, height);
  image.style.width = boxWidth + 'px';
  image.style.aspectRatio = boxWidth + ' / ' + boxHeight;
}

function makeImage() {
  const image = make('img', '', 'image');
  image.alt = '';
  image.loading = 'lazy';
  image.decoding = 'async';
  // What is dragged within the page would come in again as a file.
  image.draggable = false;
  // Where the picture lies is somebody else's, and who looks at it is none of their business.
  image.referrerPolicy = 'no-referrer';
  return image;
}

function makePicture(bubble) {
  let media;
  const image = makeImage();
  const failure = make('span', 'not-loaded', 'not-loaded');
  const failed = (has) => {
    failure.hidden = !has;
    image.hidden = has;
    say();
  };
  const button = makeButton('picture-open', 'picture', () => {
    if (failure.hidden) return view(media);
    failed(false);
    image.loading = 'eager';
    image.src = media.shown;
    return undefined;
  });
  const say = () => {
    setText(failure, t('notLoaded'));
    button.setAttribute('aria-label', t(failure.hidden ? 'viewPicture' : 'notLoaded'));
  };
  failed(false);
  image.addEventListener('error', () => failed(true));
  image.addEventListener('load', () => {
    if (!media.width) frame(image, image.naturalWidth, image.naturalHeight);
  });
  button.append(image, failure);
  bubble.append(button);
  return (now) => {
    media = now;
    say();
    // The size is known with the first answer, and what was sent from here is shown from here.
    if (image.src) return;
    frame(image, media.width, media.height);
    image.src = media.shown;
  };
}

function makeVideo(bubble) {
  let media;
  const image = makeImage();
  const play = make('span', 'play');
  const clock = make('span', 'clock');
  const button = makeButton('picture-open', 'video', () => view(media));
  play.append(icon('play'));
  image.addEventListener('error', () => { image.hidden = true; });
  button.append(image, play, clock);
  bubble.append(button);
  return (now) => {
    media = now;
    const seconds = media.seconds ? clockText(media.seconds) : '';
    frame(button, media.width, media.height);
    // The device makes the poster of its own video while it goes up.
    if (!image.src && media.shown) image.src = media.shown;
    image.hidden = !image.src;
    setText(clock, seconds);
    clock.hidden = !seconds;
    button.setAttribute('aria-label', t('playVideo', seconds));
  };
}

function makeFile(bubble) {
  const link = make('a', 'file-link', 'file');
  const text = make('span', 'file-text');
  const name = make('bdi', 'file-name', 'file-name');
  const [stem, extension] = [make('span', 'file-stem'), make('span')];
  const size = make('span', 'file-size');
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  name.append(stem, extension);
  text.append(name, size);
  const sign = make('span', 'file-icon');
  sign.append(icon('file'));
  link.append(sign, text);
  bubble.append(link);
  return (media) => {
    const parts = splitName(media.name || t('unnamedFile'));
    setText(stem, parts[0]);
    setText(extension, parts[1]);
    setText(size, media.size ? sizeText(media.size) : '');
    name.title = media.name;
    link.href = media.url;
    link.download = media.name;
  };
}

// ---------------------------------------------------------------------------------------------
// Voice: one plays at a time

const player = new Audio();
let playing = null; // What shows the state of the one that plays.

function stopVoice() {
  const stopped = playing;
  playing = null;
  player.pause();
  if (stopped) stopped();
}

player.addEventListener('ended', stopVoice);
player.addEventListener('timeupdate', () => { if (playing) playing(); });

/** Ends what is heard: somebody has left the chat. */
export const silence = stopVoice;

function makeVoice(bubble) {
  let media;
  const length = make('span', 'voice-length');
  const track = make('span', 'voice-track');
  const played = make('i');
  const [play, stop] = [icon('play'), icon('stop')];
  const button = makeButton('voice-play', 'voice', async () => {
    const others = playing !== show;
    stopVoice();
    if (!others) return;
    playing = show;
    player.src = media.url;
    show();
    try {
      await player.play();
    } catch (error) {
      if (error.name === 'AbortError' || playing !== show) return; // Somebody has stopped it before it began.
      stopVoice();
      toast(t('notPlayed'));
    }
  });
  track.append(played);
  button.append(play, stop, track, length);
  bubble.append(button);
  function show() {
    const isPlaying = playing === show;
    const seconds = media.seconds;
    button.toggleAttribute('data-playing', isPlaying);
    button.setAttribute('aria-label', isPlaying ? t('stopVoice') : t('playVoice', seconds));
    play.toggleAttribute('hidden', isPlaying);
    stop.toggleAttribute('hidden', !isPlaying);
    // A longer voice has a longer bubble, up to a minute.
    track.style.width = 48 + 1.6 * Math.min(seconds, 60) + 'px';
    played.style.width = isPlaying && seconds ? Math.min(100, 100 * player.currentTime / seconds) + '%' : '';
    setText(length, seconds ? seconds + '″' : '');
  }
  return (now) => {
    media = now;
    show();
  };
}

// ---------------------------------------------------------------------------------------------
// Large

function view(media) {
  const isVideo = media.kind === 'video';
  const shown = make(isVideo ? 'video' : 'img', 'viewed');
  if (isVideo) {
    stopVoice();
    Object.assign(shown, { controls: true, autoplay: true, playsInline: true });
  } else {
    shown.alt = t('image');
    shown.referrerPolicy = 'no-referrer';
  }
  shown.addEventListener('error', () => toast(t('notPlayed')));
  shown.src = media.url;
  $('viewer-original').href = media.url;
  $('viewer-stage').replaceChildren(shown);
  $('viewer').showModal();
}

$('viewer-close').addEventListener('click', () => $('viewer').close());
$('viewer-stage').addEventListener('click', (event) => {
  // A click on a video is for the video.
  if (event.target.tagName === 'IMG') $('viewer').close();
});
// A video that nobody sees is not to be heard either.
$('viewer').addEventListener('close', () => $('viewer-stage').replaceChildren());
