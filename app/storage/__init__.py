"""Files of ours: pictures, thumbnails, temporary files, the lock, and the decoder."""
