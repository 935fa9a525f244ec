// Tones and a voice: each repetition, the goal, the end of a rest. Both made on this device.

let audio = null;

// Browsers let a page sound only after a press; call it from one.
export function allowSound() {
  audio ??= "AudioContext" in window ? new AudioContext() : null;
  audio?.resume();
}

function tone(frequency, after, seconds) {
  if (!audio) return;
  const begin = audio.currentTime + after;
  const oscillator = new OscillatorNode(audio, { frequency });
  const gain = new GainNode(audio, { gain: 0 });
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(0.35, begin + 0.01);
  gain.gain.exponentialRampToValueAtTime(0.001, begin + seconds);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(begin);
  oscillator.stop(begin + seconds);
}

export const tones = {
  repetition: () => tone(660, 0, 0.12),
  goal: () => [523, 659, 784, 1047].forEach((frequency, k) => tone(frequency, 0.12 * k, 0.3)),
  rested: () => [880, 880].forEach((frequency, k) => tone(frequency, 0.25 * k, 0.18)),
};

// Only voices of the device itself: some browsers send what they say to their maker.
function localVoice() {
  const voices = window.speechSynthesis?.getVoices().filter((voice) => voice.localService) ?? [];
  return voices.find((voice) => voice.lang.startsWith("en") && voice.default)
    ?? voices.find((voice) => voice.lang.startsWith("en"));
}

export const hasVoice = () => localVoice() !== undefined;

export function onVoices(listener) {
  window.speechSynthesis?.addEventListener?.("voiceschanged", listener);
}

export function say(words) {
  const voice = localVoice();
  if (!voice) return;
  speechSynthesis.cancel(); // the newest count is the one to hear
  const utterance = new SpeechSynthesisUtterance(words);
  utterance.voice = voice;
  utterance.lang = voice.lang;
  utterance.rate = 1.15;
  speechSynthesis.speak(utterance);
}
