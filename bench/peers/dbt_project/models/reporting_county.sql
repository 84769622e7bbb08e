{{ reporting('county', 'township') }}
