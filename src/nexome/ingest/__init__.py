"""What comes in: recognise, harmonise, stage, publish, receipt."""
