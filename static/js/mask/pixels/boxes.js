// Rectangles of whole pixels; right and bottom are the first beyond.
export const boxOf = (left, top, right, bottom) => ({ left, top, right, bottom });

export const isEmpty = (box) => !box || box.right <= box.left || box.bottom <= box.top;

export function around(points, margin = 0) {
  const [xs, ys] = ['x', 'y'].map((axis) => points.map((point) => point[axis]));
  return boxOf(
    Math.floor(Math.min(...xs) - margin),
    Math.floor(Math.min(...ys) - margin),
    Math.ceil(Math.max(...xs) + margin),
    Math.ceil(Math.max(...ys) + margin),
  );
}

export function within(box, width, height) {
  return boxOf(Math.max(0, box.left), Math.max(0, box.top), Math.min(width, box.right), Math.min(height, box.bottom));
}
