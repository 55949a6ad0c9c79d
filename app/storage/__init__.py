"""The files of a data folder: pictures, thumbnails, temporary files, the lock; and the decoder."""
