-- What pages of divisions, months, quarters and years hold for.
SELECT mart.state_of_periods() AS state
