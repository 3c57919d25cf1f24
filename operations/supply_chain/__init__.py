"""What is fetched and how it is known to be right: charts, checksums, what an image is made of, until when it is maintained."""
