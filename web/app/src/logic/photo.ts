/** A QR code read from a photo: by the browser itself where it can, else by a small library. */

/** Longer sides only cost time: the code of a photo is large. */
const LONGEST_PX = 1_600;

interface Detector {
  detect(image: ImageBitmap): Promise<readonly { rawValue: string }[]>;
}

type DetectorClass = new (options: { formats: string[] }) => Detector;

/** The sides of a picture that is at most so long. */
export function within(width: number, height: number, longest = LONGEST_PX): [number, number] {
  const share = Math.min(1, longest / Math.max(width, height));
  return [Math.max(1, Math.round(width * share)), Math.max(1, Math.round(height * share))];
}

/** What the QR code on a photo says; null where none can be read. */
export async function readPhoto(file: Blob): Promise<string | null> {
  let image: ImageBitmap;
  try {
    image = await createImageBitmap(file);
  } catch {
    return null; // no picture at all
  }
  try {
    return (await byBrowser(image)) ?? (await byLibrary(image));
  } finally {
    image.close();
  }
}

async function byBrowser(image: ImageBitmap): Promise<string | null> {
  const Detecting = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  if (Detecting === undefined) return null;
  try {
    const [found] = await new Detecting({ formats: ["qr_code"] }).detect(image);
    return found?.rawValue || null;
  } catch {
    return null; // it is there, but not for this kind of code or not on this machine
  }
}

async function byLibrary(image: ImageBitmap): Promise<string | null> {
  const [width, height] = within(image.width, image.height);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (pen === null) return null;
  pen.drawImage(image, 0, 0, width, height);
  const { data } = pen.getImageData(0, 0, width, height);
  const { decodeQR } = await import("qr/decode.js");
  try {
    return decodeQR({ width, height, data }) || null;
  } catch {
    return null; // there is none, or it is too blurred
  }
}
