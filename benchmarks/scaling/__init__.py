"""What the loader costs against threads, batch, picture and data set size."""
