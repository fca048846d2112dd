"""What follows a completed run: 24 hours of watching at a slower pace, and the review after 48 (runbook
"Post-Migration Verification").  Pure, like the rest of the core: state in, events out."""
