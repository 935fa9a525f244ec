"""What a person at home uses: the live page and the workout log."""
