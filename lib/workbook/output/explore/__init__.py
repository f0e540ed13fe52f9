"""Explorers: controls whose table and picture follow at once. One file a chapter; `panel` holds what they share."""
