/* harmless */ DROP -- really
 TABLE /* nothing */ audit;
