"""What several commands need: AWS and the servers, Terraform, kubectl, the way to the API, and how a command stops."""
