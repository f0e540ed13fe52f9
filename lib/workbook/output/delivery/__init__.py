"""What happens around a report: its run is logged, its result is sent, its state can be asked, its time is planned."""
