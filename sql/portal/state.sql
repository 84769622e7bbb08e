-- What pages of months, quarters and years hold for.
SELECT mart.state_of_periods() AS state
